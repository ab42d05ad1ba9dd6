----------------------------- MODULE Checkpoint -----------------------------
(***************************************************************************)
(* The checkpoint and the pending checkpoint of one lease row, written by  *)
(* workers that hold it in turn, and the records that they process.        *)
(*                                                                         *)
(* A checkpoint n says: the records 1 to n need never be handed over       *)
(* again. A write of it may land at any later time, any number of times,   *)
(* or never; its answer may never come. Who owns the lease changes here in *)
(* one step each, since Tenure.tla shows the requests of that; the answer  *)
(* still takes its time: a new owner begins with the row that its take, or *)
(* its consistent read after a handoff, returned.                          *)
(*                                                                         *)
(* An operator may move the checkpoint back by hand, to have records done  *)
(* again. One case is left out, since nothing can tell: a move back to the *)
(* very position that a write under way expects.                           *)
(***************************************************************************)
EXTENDS Rules

CONSTANTS Workers,
          None,
          MaxEpoch,
          Records,    \* how many there are
          MaxWrites,  \* how many writes of checkpoints are sent
          MaxRewinds  \* how often an operator moves the checkpoint

VARIABLES
  row,      \* owner, epoch, cp, pending (0: none), writeId of the last checkpoint write
  grant,    \* of a worker: None, or the row as it was when it was given to it
  work,     \* of a worker: None, or its tenure: epoch, cp and pending as last known, records done
  asked,    \* of a worker: None, or its checkpoint write that has no answer yet
  net,      \* checkpoint writes that may still land
  writes,   \* how many were sent
  done,     \* records processed since an operator last wanted them again
  rewinds,
  begun,    \* the highest epoch under which a tenure began
  floor,    \* the highest checkpoint since an operator last moved it
  least,    \* the highest pending checkpoint since the checkpoint last moved
  late      \* a checkpoint write took effect after a successor's begin

vars == <<row, grant, work, asked, net, writes, done, rewinds, begun, floor, least, late>>
ghosts == <<begun, floor, least, late>>

Init ==
  /\ row = [owner |-> None, epoch |-> 0, cp |-> 0, pending |-> 0, writeId |-> 0]
  /\ grant = [w \in Workers |-> None]
  /\ work = [w \in Workers |-> None]
  /\ asked = [w \in Workers |-> None]
  /\ net = {}
  /\ writes = 0
  /\ done = {}
  /\ rewinds = 0
  /\ begun = 0
  /\ floor = 0
  /\ least = 0
  /\ late = FALSE

-----------------------------------------------------------------------------
(* Owners. *)

Fenced ==
  /\ Rule("checkpoint-without-epoch")
  /\ Rule("prepare-outside-the-condition")
  /\ Rule("commit-outside-the-condition")

(* Under a raised epoch what was sent before can land no more. *)
Raised(owner) ==
  /\ row.epoch < MaxEpoch
  /\ row' = [row EXCEPT !.owner = owner, !.epoch = @ + 1, !.writeId = 0]
  /\ net' = IF Fenced THEN {} ELSE net

(* The row that the write returned, or that is read consistently after a handoff; an older one may be as old as the lease. *)
Granted == IF Rule("begins-from-an-older-row") THEN row' ELSE [row' EXCEPT !.cp = 0, !.pending = 0]

(* Of a lease whose owner works no more: the take of another, or its resume. *)
Take(w) ==
  /\ IF row.owner = None THEN TRUE ELSE work[row.owner] = None /\ grant[row.owner] = None
  /\ Raised(w)
  /\ grant' = [grant EXCEPT ![w] = Granted]
  /\ UNCHANGED <<work, asked, writes, done, rewinds, ghosts>>

Begin(w) ==
  /\ grant[w] # None
  /\ work' = [work EXCEPT ![w] = [epoch |-> grant[w].epoch, cp |-> grant[w].cp, pending |-> grant[w].pending,
                                  at |-> grant[w].cp]]
  /\ grant' = [grant EXCEPT ![w] = None]
  /\ begun' = grant[w].epoch
  /\ UNCHANGED <<row, asked, net, writes, done, rewinds, floor, least, late>>

Ended(w) ==
  /\ work' = [work EXCEPT ![w] = None]
  /\ asked' = [asked EXCEPT ![w] = None]

(* A crash, a lapse of its belief, a stop without an answer. *)
Lose(w) ==
  /\ work[w] # None \/ grant[w] # None
  /\ Ended(w)
  /\ grant' = [grant EXCEPT ![w] = None]
  /\ UNCHANGED <<row, net, writes, done, rewinds, ghosts>>

Handoff(w, to) ==
  /\ work[w] # None /\ row.owner = w /\ row.epoch = work[w].epoch
  /\ Raised(to)
  /\ Ended(w)
  /\ grant' = [grant EXCEPT ![to] = Granted]
  /\ UNCHANGED <<writes, done, rewinds, ghosts>>

Release(w) ==
  /\ work[w] # None /\ row.owner = w /\ row.epoch = work[w].epoch
  /\ Raised(None)
  /\ Ended(w)
  /\ UNCHANGED <<grant, writes, done, rewinds, ghosts>>

-----------------------------------------------------------------------------
(* Work and checkpoints. *)

(* Hand-over goes on while a write is under way; the code pauses it while one is cleared up, which no rule here needs. *)
Process(w) ==
  /\ work[w] # None /\ work[w].at < Records
  /\ work' = [work EXCEPT ![w].at = @ + 1]
  /\ done' = done \cup {work[w].at + 1}
  /\ UNCHANGED <<row, grant, asked, net, writes, rewinds, ghosts>>

Ask(w, kind, to) ==
  /\ work[w] # None /\ asked[w] = None /\ writes < MaxWrites
  /\ LET request == [kind |-> kind, by |-> w, epoch |-> work[w].epoch, cp |-> work[w].cp,
                     pending |-> work[w].pending, to |-> to, id |-> writes + 1]
     IN asked' = [asked EXCEPT ![w] = request] /\ net' = net \cup {request}
  /\ writes' = writes + 1
  /\ UNCHANGED <<row, grant, work, done, rewinds, ghosts>>

(* Order is decided here, in the client; only what is done is told. *)
AskCheckpoint(w) ==
  /\ work[w] # None
  /\ \E to \in 1 .. Records :
       /\ IF Rule("checkpoint-before-the-work") THEN to <= work[w].at ELSE TRUE
       /\ IF Rule("checkpoint-without-backwards-guard") THEN to > work[w].cp ELSE to # work[w].cp
       /\ Ask(w, "checkpoint", to)

AskPrepare(w) ==
  /\ work[w] # None
  /\ \E to \in 1 .. work[w].at : to > Max(work[w].cp, work[w].pending) /\ Ask(w, "prepare", to)

AskCommit(w) ==
  /\ work[w] # None /\ work[w].pending # 0 /\ work[w].pending <= work[w].at
  /\ Ask(w, "commit", work[w].pending)

Expected(r) ==
  \/ r.kind = "prepare" /\ ~Rule("prepare-outside-the-condition")
  \/ r.kind = "commit" /\ ~Rule("commit-outside-the-condition")
  \/ /\ row.owner = r.by
     /\ row.epoch = r.epoch \/ ~Rule("checkpoint-without-epoch")
     /\ (row.cp = r.cp /\ row.pending = r.pending) \/ ~Rule("checkpoint-not-compare-and-set")

After(r) ==
  IF r.kind = "prepare"
  THEN [row EXCEPT !.pending = r.to, !.writeId = r.id]
  ELSE [row EXCEPT !.cp = r.to, !.pending = 0, !.writeId = r.id]

Told(w, current) == [work EXCEPT ![w].epoch = current.epoch, ![w].cp = current.cp, ![w].pending = current.pending]

(* Its answer comes at once or never; a repeat asks again. *)
Land ==
  \E r \in net :
    /\ Expected(r)
    /\ row' = After(r)
    /\ \/ asked[r.by] = r /\ asked' = [asked EXCEPT ![r.by] = None] /\ work' = Told(r.by, row')
       \/ UNCHANGED <<asked, work>>
    /\ floor' = Max(floor, row'.cp)
    /\ least' = IF row'.cp # row.cp THEN 0 ELSE Max(least, row'.pending)
    /\ late' = (late \/ begun > r.epoch)
    /\ UNCHANGED <<grant, net, writes, done, rewinds, begun>>

Holds(r) == IF r.kind = "prepare" THEN row.cp = r.cp /\ row.pending = r.to ELSE row.cp = r.to

(* A refusal shows the row. Ours is what carries our write id and holds what *)
(* it wrote: an operator's tools leave the id as it is. Refused under our    *)
(* own epoch, somebody has moved the row by hand: the tenure is over and     *)
(* begun anew from what the row holds.                                       *)
Refused(w) ==
  LET r == asked[w]
      isOurs == IF Rule("write-id-ignored")
                THEN row.writeId = r.id /\ (Holds(r) \/ ~Rule("write-id-is-enough"))
                ELSE row.owner = w /\ row.epoch = r.epoch
  IN /\ r # None
     /\ ~Expected(r)
     /\ IF isOurs
        THEN asked' = [asked EXCEPT ![w] = None] /\ work' = Told(w, row)
        ELSE Ended(w)
     /\ UNCHANGED <<row, grant, net, writes, done, rewinds, ghosts>>

(* It stays without outcome: the raise shows what the row holds, and lets   *)
(* the late write land no more.                                             *)
Raise(w) ==
  LET r == asked[w]
  IN /\ r # None
     /\ row.owner = w /\ row.epoch = r.epoch
     /\ Raised(w)
     /\ IF row.cp \in {r.cp, r.to}
        THEN asked' = [asked EXCEPT ![w] = None] /\ work' = Told(w, row') /\ begun' = row'.epoch
        ELSE Ended(w) /\ UNCHANGED begun
     /\ UNCHANGED <<grant, writes, done, rewinds, floor, least, late>>

Rewind ==
  /\ rewinds < MaxRewinds
  /\ \E to \in 0 .. row.cp - 1 :
       /\ \A r \in net : r.cp # to
       /\ row' = [row EXCEPT !.cp = to]
       /\ floor' = to
       /\ done' = {record \in done : record <= to}
  /\ rewinds' = rewinds + 1
  /\ least' = 0
  /\ UNCHANGED <<grant, work, asked, net, writes, begun, late>>

Next ==
  \/ \E w \in Workers :
       \/ Take(w) \/ Begin(w) \/ Lose(w) \/ Release(w)
       \/ \E to \in Workers \ {w} : Handoff(w, to)
       \/ Process(w) \/ AskCheckpoint(w) \/ AskPrepare(w) \/ AskCommit(w)
       \/ Refused(w) \/ Raise(w)
  \/ Land \/ Rewind

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* No checkpoint write of a deposed owner takes effect after its successor's begin. *)
S3 == ~late

(* A checkpoint and a pending checkpoint never go back. *)
S4NeverBack ==
  /\ row.cp >= floor
  /\ row.pending # 0 => row.pending > row.cp /\ row.pending >= least

(* A new owner starts from what its take, or the handoff to it, recorded. *)
S4StartsThere ==
  \A w \in Workers :
    grant[w] # None /\ rewinds = 0 => row.cp = grant[w].cp /\ row.pending = grant[w].pending

(* What a checkpoint passes has been processed. *)
S12Records == 1 .. row.cp \subseteq done
=============================================================================
