------------------------------- MODULE Tenure -------------------------------
(***************************************************************************)
(* One lease row and the workers that hold it in turn: creation, take,     *)
(* handoff, raise (resume, reconcile, a checkpoint of unknown outcome),    *)
(* release, deletion mark, re-creation, removal.                           *)
(*                                                                         *)
(* Time is left to Belief.tla. Of what it proves this spec uses two        *)
(* sentences: a worker that is fenced does not believe any more; one that  *)
(* is fenced by force may, but a belief that has ended never comes back.   *)
(*                                                                         *)
(* A request that was sent may land at any later time, any number of       *)
(* times, or never; an answer may come at any later time, any number of    *)
(* times, or never. A worker waits for none: it may have many writes under *)
(* way, which is more than the shipped lane allows.                        *)
(*                                                                         *)
(* Stale reads: what a worker does because of an old row it writes under   *)
(* the epoch of that row, and every later row has another. Such a write is *)
(* refused like one that was sent in time and landed late, so senders read *)
(* the present row here. The one thing that is done on a read without a    *)
(* write, the begin of a tenure, is done on a late answer here.            *)
(***************************************************************************)
EXTENDS Rules, TLC

CONSTANTS Workers,  \* incarnations: a restart is a new one
          None,     \* nobody
          MaxEpoch

VARIABLES
  life,     \* of a worker: unborn, open, draining, closed (left or dead)
  belief,   \* whether its belief holds
  fence,    \* its row: none, fenced, forced
  tenure,   \* the epoch that it works under, 0: none
  highest,  \* the highest epoch that it has begun or given up
  heard,    \* answers under way to it: epochs at which the row names it
  row,      \* the lease row: what it is (none, lease, marked), owner, epoch
  net,      \* requests that may still land
  used,     \* the highest epoch that any row of this lease had
  begun,    \* the highest epoch under which any tenure began
  again,    \* an epoch was used twice, or out of order
  late      \* a write of a deposed owner took effect

vars == <<life, belief, fence, tenure, highest, heard, row, net, used, begun, again, late>>
workerVars == <<life, belief, fence, tenure, highest, heard>>
ghosts == <<used, begun, again, late>>

Symmetry == Permutations(Workers)

Alive(w) == life[w] \in {"open", "draining"}

(* Whether the fence of w frees its leases. One by force proves no silence: *)
(* it frees only after T, when the belief is over.                          *)
Frees(w) ==
  \/ fence[w] = "fenced"
  \/ fence[w] = "forced" /\ ~belief[w]

Free == IF row.owner = None THEN TRUE ELSE Frees(row.owner)

Init ==
  /\ life = [w \in Workers |-> "unborn"]
  /\ belief = [w \in Workers |-> FALSE]
  /\ fence = [w \in Workers |-> "none"]
  /\ tenure = [w \in Workers |-> 0]
  /\ highest = [w \in Workers |-> 0]
  /\ heard = [w \in Workers |-> {}]
  /\ row = [is |-> "none", owner |-> None, epoch |-> 0]
  /\ net = {}
  /\ used = 0
  /\ begun = 0
  /\ again = FALSE
  /\ late = FALSE

-----------------------------------------------------------------------------
(* Workers. *)

(* A process starts, or starts again after a crash, a fence or a stop. *)
Start(w) ==
  /\ life[w] = "unborn"
  /\ life' = [life EXCEPT ![w] = "open"]
  /\ belief' = [belief EXCEPT ![w] = TRUE]
  /\ UNCHANGED <<fence, tenure, highest, heard, row, net, ghosts>>

(* SIGTERM, or the worker has read that it was fenced by force. *)
Drain(w) ==
  /\ life[w] = "open"
  /\ life' = [life EXCEPT ![w] = "draining"]
  /\ UNCHANGED <<belief, fence, tenure, highest, heard, row, net, ghosts>>

End(w) ==
  /\ life' = [life EXCEPT ![w] = "closed"]
  /\ belief' = [belief EXCEPT ![w] = FALSE]
  /\ tenure' = [tenure EXCEPT ![w] = 0]
  /\ heard' = [heard EXCEPT ![w] = {}]
  /\ UNCHANGED <<fence, highest, row, net, ghosts>>

(* `left` is sent: from here on the worker believes and accepts nothing.   *)
(* Whether it lands or not, what it fences is a worker without belief.     *)
Leave(w) == life[w] = "draining" /\ End(w)

Crash(w) == Alive(w) /\ End(w)

Lapse(w) ==
  /\ Alive(w) /\ belief[w]
  /\ belief' = [belief EXCEPT ![w] = FALSE]
  /\ tenure' = [tenure EXCEPT ![w] = 0]
  /\ UNCHANGED <<life, fence, highest, heard, row, net, ghosts>>

(* Beats pass again. *)
Recover(w) ==
  /\ Alive(w) /\ ~belief[w] /\ fence[w] = "none"
  /\ belief' = [belief EXCEPT ![w] = TRUE]
  /\ UNCHANGED <<life, fence, tenure, highest, heard, row, net, ghosts>>

(* By an observer, a parent, or the worker itself: its belief is over. *)
Fence(w) ==
  /\ life[w] # "unborn" /\ fence[w] = "none" /\ ~belief[w]
  /\ fence' = [fence EXCEPT ![w] = "fenced"]
  /\ UNCHANGED <<life, belief, tenure, highest, heard, row, net, ghosts>>

(* By an operator, whatever the worker believes. *)
ForceFence(w) ==
  /\ Alive(w) /\ fence[w] = "none"
  /\ fence' = [fence EXCEPT ![w] = "forced"]
  /\ UNCHANGED <<life, belief, tenure, highest, heard, row, net, ghosts>>

-----------------------------------------------------------------------------
(* Requests. A change of tenure says which row it expects. *)

Change(kind, by, to) ==
  [kind |-> kind, by |-> by, owner |-> row.owner, epoch |-> row.epoch, to |-> to]

Send(request) ==
  /\ row.epoch < MaxEpoch
  /\ net' = net \cup {request}
  /\ UNCHANGED row

(* Of a lease without an owner, or with a fenced one. *)
SendTake(w) ==
  /\ life[w] = "open" /\ belief[w] /\ tenure[w] = 0
  /\ row.is = "lease" \/ (row.is = "marked" /\ ~Rule("take-of-a-marked-row"))
  /\ row.owner # w
  /\ Free \/ ~Rule("take-by-lease-row-alone")
  /\ Send(Change("take", w, w))
  /\ UNCHANGED <<workerVars, ghosts>>

(* Resume, reconcile, or a tenure whose checkpoint stayed without outcome. *)
SendRaise(w) ==
  /\ belief[w] /\ row.is = "lease" /\ row.owner = w
  /\ IF tenure[w] = 0 THEN life[w] = "open" /\ row.epoch <= highest[w] ELSE row.epoch = tenure[w]
  /\ Send(Change("raise", w, w))
  /\ UNCHANGED <<workerVars, ghosts>>

(* Handoff and release of a tenure. Its target was live when it was looked *)
(* at, and may be anything by now.                                         *)
Give(w, to, kind, ends) ==
  /\ belief[w] /\ tenure[w] # 0 /\ row.epoch = tenure[w]
  /\ tenure' = [tenure EXCEPT ![w] = IF ends THEN 0 ELSE @]
  /\ Send(Change(kind, w, to))
  /\ UNCHANGED <<life, belief, fence, highest, heard, ghosts>>

SendHandoff(w) ==
  \E to \in Workers \ {w} :
    life[to] # "unborn" /\ Give(w, to, "handoff", Rule("belief-outlives-sent-handoff"))

SendRelease(w) == Give(w, None, "release", Rule("belief-outlives-sent-release"))

(* The row names the worker, which runs no tenure of it and may begin none: *)
(* it drains, or its old processor is stuck. Sending gives the epoch up.    *)
SendReconcilingRelease(w) ==
  /\ Alive(w) /\ belief[w] /\ tenure[w] = 0
  /\ row.is = "lease" /\ row.owner = w
  /\ highest' = [highest EXCEPT ![w] = Max(@, row.epoch)]
  /\ Send(Change("release", w, None))
  /\ UNCHANGED <<life, belief, fence, tenure, heard, ghosts>>

(* Discovery, in any worker. *)
SendMark ==
  /\ row.is = "lease"
  /\ Free \/ ~Rule("delete-from-live-owner")
  /\ Send(Change("mark", None, None))
  /\ UNCHANGED <<workerVars, ghosts>>

SendRecreate ==
  /\ row.is = "marked"
  /\ Send(Change("recreate", None, None))
  /\ UNCHANGED <<workerVars, ghosts>>

(* Above every epoch in the history, which was read after the row was seen *)
(* missing; History.tla shows what is in it by then.                       *)
SendCreate ==
  /\ row.is = "none" /\ used < MaxEpoch
  /\ net' = net \cup {[kind |-> "create", by |-> None, owner |-> None, epoch |-> used + 1, to |-> None]}
  /\ UNCHANGED <<workerVars, row, ghosts>>

-----------------------------------------------------------------------------
(* The store. *)

CreateLands(request) ==
  /\ row.is = "none"
  /\ row' = [is |-> "lease", owner |-> None, epoch |-> request.epoch]
  /\ again' = (again \/ request.epoch <= used)
  /\ used' = Max(used, request.epoch)
  /\ UNCHANGED <<net, heard, begun, late>>

Expected(request) ==
  /\ row.is = (IF request.kind = "recreate" THEN "marked" ELSE "lease")
     \/ (request.kind = "take" /\ row.is # "none" /\ ~Rule("take-of-a-marked-row"))
  /\ row.owner = request.owner
  /\ row.epoch = request.epoch \/ ~Rule("counter-write-without-counter-condition")

After(request) ==
  IF request.kind # "mark"
  THEN [is |-> row.is, owner |-> request.to, epoch |-> request.epoch + 1]
  ELSE IF Rule("mark-is-a-delete")
       THEN [is |-> "marked", owner |-> None, epoch |-> request.epoch + 1]
       ELSE [is |-> "none", owner |-> None, epoch |-> 0]

(* What can never land any more is forgotten; that epochs do not go back is *)
(* checked as each lands.                                                   *)
StillUnderWay(requests) ==
  IF Rule("counter-write-without-counter-condition")
  THEN {r \in requests : r.kind = "create"}
  ELSE requests

ChangeLands(request) ==
  /\ Expected(request)
  /\ row' = IF request.kind = "recreate" THEN [After(request) EXCEPT !.is = "lease"] ELSE After(request)
  /\ net' = StillUnderWay(net)
  /\ heard' = IF request.kind \in {"take", "raise"} /\ Alive(request.by)
              THEN [heard EXCEPT ![request.by] = @ \cup {request.epoch + 1}]
              ELSE heard
  /\ again' = (again \/ request.epoch + 1 <= used)
  /\ used' = Max(used, request.epoch + 1)
  /\ late' = (late \/ (request.kind \in {"raise", "handoff", "release"} /\ begun > request.epoch))
  /\ UNCHANGED begun

Land ==
  /\ \E request \in net : IF request.kind = "create" THEN CreateLands(request) ELSE ChangeLands(request)
  /\ UNCHANGED <<life, belief, fence, tenure, highest>>

(* All other requests may as well stay under way for ever. *)
LoseCreate ==
  /\ \E request \in net : request.kind = "create" /\ net' = net \ {request}
  /\ UNCHANGED <<workerVars, row, ghosts>>

(* Thirty days after the mark: a request does not live that long. *)
RemoveMark ==
  /\ row.is = "marked"
  /\ \A request \in net : request.kind # "create"
  /\ row' = [is |-> "none", owner |-> None, epoch |-> 0]
  /\ net' = {}
  /\ UNCHANGED <<workerVars, ghosts>>

-----------------------------------------------------------------------------
(* Begins. *)

(* After a note, or in a reconcile: consistent when it is made, but its     *)
(* answer may be late.                                                      *)
Read(w) ==
  /\ Alive(w) /\ row.is = "lease" /\ row.owner = w
  /\ row.epoch \notin heard[w] /\ row.epoch > highest[w]
  /\ heard' = [heard EXCEPT ![w] = @ \cup {row.epoch}]
  /\ UNCHANGED <<life, belief, fence, tenure, highest, row, net, ghosts>>

MayBegin(w, epoch) == epoch > highest[w] \/ ~Rule("begin-at-an-epoch-begun-or-given-up")

Begin(w) ==
  /\ belief[w]
  /\ life[w] = "open" \/ tenure[w] # 0
  /\ \E epoch \in heard[w] :
       /\ MayBegin(w, epoch) /\ epoch # tenure[w]
       /\ tenure' = [tenure EXCEPT ![w] = epoch]
       /\ highest' = [highest EXCEPT ![w] = Max(@, epoch)]
       (* Answers may be doubled; those that can begin nothing are dropped. *)
       /\ heard' = [heard EXCEPT ![w] = {e \in @ : e > epoch \/ ~Rule("begin-at-an-epoch-begun-or-given-up")}]
       /\ again' = (again \/ epoch <= begun)
       /\ begun' = Max(begun, epoch)
  /\ UNCHANGED <<life, belief, fence, row, net, used, late>>

-----------------------------------------------------------------------------
Next ==
  \/ \E w \in Workers :
       \/ Start(w) \/ Drain(w) \/ Leave(w) \/ Crash(w) \/ Lapse(w) \/ Recover(w)
       \/ Fence(w) \/ ForceFence(w)
       \/ SendTake(w) \/ SendRaise(w) \/ SendHandoff(w) \/ SendRelease(w)
       \/ SendReconcilingRelease(w)
       \/ Read(w) \/ Begin(w)
  \/ SendMark \/ SendRecreate \/ SendCreate
  \/ Land \/ LoseCreate \/ RemoveMark

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
Believers == {w \in Workers : belief[w] /\ tenure[w] # 0}

(* At most one worker believes in the lease. *)
S1 == Cardinality(Believers) <= 1

(* Epochs increase strictly, from row to row and from tenure to tenure. *)
S2 == ~again

(* Nothing that a deposed owner wrote takes effect after its successor's begin. *)
S3 == ~late

(* A deleted lease is worked by nobody. *)
NobodyWorksTheDeleted == row.is = "marked" => Believers = {} /\ row.owner = None
=============================================================================
