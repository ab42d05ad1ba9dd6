------------------------------- MODULE Fleet --------------------------------
(***************************************************************************)
(* A fleet that shares leases: orphans are adopted, leases are handed over *)
(* because a planner said so or because a worker leaves, notes and answers *)
(* are lost, workers die, fall silent and come back, planners are deposed. *)
(*                                                                         *)
(* What a change of owner is made of is Tenure.tla's subject: here one is  *)
(* a step. Epochs of leases are no numbers here, so that time may go on    *)
(* for ever: a worker remembers whether it has given up the row's present  *)
(* epoch, and what was sent under an older one is forgotten.               *)
(*                                                                         *)
(* A planner may say anything at any time: it is advice. Faults are        *)
(* bounded in number, which is what "once faults stop" comes to. Nothing   *)
(* here is fair to planners: all that must happen happens without one.     *)
(***************************************************************************)
EXTENDS Rules, TLC

CONSTANTS Workers, Leases, None,
          MaxLeases,    \* of a worker, for ranks
          MaxEnds,      \* deaths, silences and stops
          MaxLosses,    \* writes without an answer, and notes that never come
          MaxPlanners,  \* how often the planner lease is taken
          MaxPosts      \* directives

VARIABLES
  life,     \* of a worker: up, draining, silent, dead, left
  rows,     \* its row: live, fenced, gone
  works,    \* the leases that it works
  given,    \* the leases whose present epoch it has begun before, or given up
  notes,    \* leases of which it was told that they were handed to it
  posts,    \* directives in its row
  elected,  \* the epoch under which it takes itself for the planner, 0: none
  read,     \* the highest planner's epoch that it has read
  owner,    \* of a lease
  late,     \* of a lease: who the handoffs and releases under way give it to
  planner,  \* epoch of the planner lease
  ends, losses, posted,
  misled    \* a directive was obeyed that should not have been

vars == <<life, rows, works, given, notes, posts, elected, read, owner, late, planner, ends, losses,
          posted, misled>>
tenures == <<works, given, notes, posts, owner, late>>
planning == <<elected, read, planner, posted, misled>>
counts == <<ends, losses>>

Symmetry == Permutations(Workers) \cup Permutations(Leases)

Up(w) == life[w] = "up"

Init ==
  /\ life = [w \in Workers |-> "up"]
  /\ rows = [w \in Workers |-> "live"]
  /\ works = [w \in Workers |-> {}]
  /\ given = [w \in Workers |-> {}]
  /\ notes = [w \in Workers |-> {}]
  /\ posts = [w \in Workers |-> {}]
  /\ elected = [w \in Workers |-> 0]
  /\ read = [w \in Workers |-> 0]
  /\ owner = [l \in Leases |-> None]
  /\ late = [l \in Leases |-> {}]
  /\ planner = 0
  /\ ends = 0
  /\ losses = 0
  /\ posted = 0
  /\ misled = FALSE

-----------------------------------------------------------------------------
(* Lives. *)

Stays(w, how) ==
  /\ life' = [life EXCEPT ![w] = how]
  /\ works' = [works EXCEPT ![w] = {}]

Ended(w, how) ==
  /\ Stays(w, how)
  /\ given' = [given EXCEPT ![w] = {}]
  /\ notes' = [notes EXCEPT ![w] = {}]
  /\ posts' = [posts EXCEPT ![w] = {}]
  /\ elected' = [elected EXCEPT ![w] = 0]
  /\ read' = [read EXCEPT ![w] = 0]
  /\ UNCHANGED <<owner, late, planner, losses, posted, misled>>

Fault == ends < MaxEnds /\ ends' = ends + 1

Crash(w) ==
  /\ life[w] \in {"up", "draining", "silent"} /\ Fault
  /\ Ended(w, "dead")
  /\ UNCHANGED rows

(* Its belief ran out: it works nothing, and what it held it may only raise. *)
Silence(w) ==
  /\ Up(w) /\ Fault
  /\ Stays(w, "silent")
  /\ given' = [given EXCEPT ![w] = @ \cup works[w]]
  /\ UNCHANGED <<rows, notes, posts, owner, late, planning, losses>>

Return(w) ==
  /\ life[w] = "silent" /\ rows[w] = "live"
  /\ life' = [life EXCEPT ![w] = "up"]
  /\ UNCHANGED <<rows, tenures, planning, counts>>

Stop(w) ==
  /\ Up(w) /\ Fault
  /\ life' = [life EXCEPT ![w] = "draining"]
  /\ UNCHANGED <<rows, tenures, planning, losses>>

Leave(w) ==
  /\ life[w] = "draining" /\ works[w] = {}
  /\ Ended(w, "left")
  /\ UNCHANGED <<rows, ends>>

(* Belief.tla: whoever is fenced believes no more. A fenced worker goes on   *)
(* as another one.                                                           *)
Fence(w) ==
  /\ rows[w] = "live" /\ life[w] \in {"silent", "dead", "left"}
  /\ rows' = [rows EXCEPT ![w] = "fenced"]
  /\ Ended(w, IF life[w] = "silent" THEN "dead" ELSE life[w])
  /\ UNCHANGED ends

Collect(w) ==
  /\ rows[w] = "fenced" /\ \A l \in Leases : owner[l] # w
  /\ rows' = [rows EXCEPT ![w] = "gone"]
  /\ UNCHANGED <<life, tenures, planning, counts>>

(* A lease names a worker without a row. *)
Tombstone(w) ==
  /\ Rule("no-tombstone")
  /\ rows[w] = "gone" /\ \E l \in Leases : owner[l] = w
  /\ rows' = [rows EXCEPT ![w] = "live"]
  /\ UNCHANGED <<life, tenures, planning, counts>>

-----------------------------------------------------------------------------
(* Leases change hands. *)

(* A change of tenure: what was sent under the old epoch is void. *)
Changed(l, new, mail) ==
  /\ owner' = [owner EXCEPT ![l] = new]
  /\ late' = [late EXCEPT ![l] = {}]
  /\ given' = [w \in Workers |-> given[w] \ {l}]
  /\ posts' = [w \in Workers |->
                 IF Rule("directive-of-another-tenure")
                 THEN {d \in mail[w] : d.lease # l}
                 ELSE {IF d.lease = l THEN [d EXCEPT !.isVoid = TRUE] ELSE d : d \in mail[w]}]

IsFree(l) == IF owner[l] = None THEN TRUE ELSE rows[owner[l]] = "fenced"

Held(w) == {l \in Leases : owner[l] = w}

(* Rank delays; every not draining worker tries in the end. *)
MayAdopt(w) ==
  /\ IF Rule("rank-forbids") THEN TRUE ELSE Cardinality(Held(w)) < MaxLeases
  /\ IF Rule("orphans-wait-for-a-planner") THEN TRUE ELSE \E v \in Workers : Up(v) /\ elected[v] # 0

(* Without an answer it finds the lease by its reconcile. *)
Take(w, l) ==
  /\ Up(w) /\ IsFree(l) /\ MayAdopt(w)
  /\ Changed(l, w, posts)
  /\ \/ works' = [works EXCEPT ![w] = @ \cup {l}] /\ UNCHANGED losses
     \/ losses < MaxLosses /\ losses' = losses + 1 /\ UNCHANGED works
  /\ UNCHANGED <<life, rows, notes, planning, ends>>

(* A handoff, or a release (to nobody). Belief ends as it is sent. It lands  *)
(* and is noted, lands and is not, or stays under way: perhaps for ever.     *)
Give(w, l, to, mail) ==
  /\ works' = [works EXCEPT ![w] = @ \ {l}]
  /\ \/ /\ Changed(l, to, mail)
        /\ notes' = IF to = None THEN notes
                    ELSE IF rows[to] # "live" THEN notes
                    ELSE [notes EXCEPT ![to] = @ \cup {l}]
        /\ UNCHANGED losses
     \/ /\ losses < MaxLosses
        /\ losses' = losses + 1
        /\ UNCHANGED notes
        /\ \/ Changed(l, to, mail)
           \/ /\ late' = [late EXCEPT ![l] = @ \cup {to}]
              /\ given' = [given EXCEPT ![w] = @ \cup {l}]
              /\ posts' = mail
              /\ UNCHANGED owner
  /\ UNCHANGED <<life, rows, ends>>

(* A leaver's own plan: to whoever has a live row, or to nobody. *)
GiveAway(w, l) ==
  /\ life[w] = "draining" /\ l \in works[w]
  /\ \E to \in {v \in Workers \ {w} : rows[v] = "live"} \cup {None} : Give(w, l, to, posts)
  /\ UNCHANGED planning

LateGive(l) ==
  /\ \E to \in late[l] : Changed(l, to, posts)
  /\ UNCHANGED <<life, rows, works, notes, planning, counts>>

(* A note makes its reader look at the row. *)
Receive(w, l) ==
  /\ life[w] \in {"up", "draining"} /\ l \in notes[w]
  /\ notes' = [notes EXCEPT ![w] = @ \ {l}]
  /\ works' = IF Up(w) /\ ((owner[l] = w /\ l \notin given[w]) \/ ~Rule("note-begins-without-a-read"))
              THEN [works EXCEPT ![w] = @ \cup {l}]
              ELSE works
  /\ UNCHANGED <<life, rows, given, posts, owner, late, planning, counts>>

(* The row names this worker, which does not work the lease. *)
Reconcile(w, l) ==
  /\ owner[l] = w /\ l \notin works[w]
  /\ \/ /\ Up(w) /\ l \notin given[w] /\ Rule("note-is-the-only-word")
        /\ works' = [works EXCEPT ![w] = @ \cup {l}]
        /\ UNCHANGED <<given, posts, owner, late>>
     \/ /\ Up(w) /\ l \in given[w] /\ Rule("reconcile-does-nothing")
        /\ works' = [works EXCEPT ![w] = @ \cup {l}]
        /\ Changed(l, w, posts)
     \/ /\ life[w] = "draining"
        /\ Changed(l, None, posts)
        /\ UNCHANGED works
  /\ UNCHANGED <<life, rows, notes, planning, counts>>

-----------------------------------------------------------------------------
(* The planner lease may be taken from whoever lives. *)

Claim(w) ==
  /\ Up(w) /\ planner < MaxPlanners
  /\ planner' = planner + 1
  /\ elected' = [elected EXCEPT ![w] = planner + 1]
  /\ read' = [read EXCEPT ![w] = planner + 1]
  /\ UNCHANGED <<life, rows, tenures, counts, posted, misled>>

ReadPlanner(w) ==
  /\ life[w] \in {"up", "draining"} /\ read[w] < planner
  /\ read' = [read EXCEPT ![w] = planner]
  /\ elected' = [elected EXCEPT ![w] = 0]
  /\ UNCHANGED <<life, rows, tenures, counts, planner, posted, misled>>

(* Whatever it has come to think: into the row of the owner that it knows. *)
Post(w, l) ==
  /\ Up(w) /\ elected[w] # 0 /\ posted < MaxPosts
  /\ owner[l] # None
  /\ rows[owner[l]] = "live"
  /\ \E to \in Workers \ {owner[l]} :
       posts' = [posts EXCEPT ![owner[l]] = @ \cup {[lease |-> l, to |-> to, by |-> elected[w], isVoid |-> FALSE]}]
  /\ posted' = posted + 1
  /\ UNCHANGED <<life, rows, works, given, notes, owner, late, counts, elected, read, planner, misled>>

Obeys(w, d) ==
  /\ Up(w) /\ d.lease \in works[w] /\ rows[d.to] = "live"
  /\ d.by >= read[w] \/ ~Rule("directive-whatever-its-epoch")

Handle(w) ==
  /\ life[w] \in {"up", "draining"}
  /\ \E d \in posts[w] :
       LET mail == [posts EXCEPT ![w] = @ \ {d}]
       IN /\ read' = [read EXCEPT ![w] = Max(@, d.by)]
          /\ IF Obeys(w, d)
             THEN /\ Give(w, d.lease, d.to, mail)
                  /\ misled' = (misled \/ d.by < read[w] \/ d.isVoid)
             ELSE /\ posts' = mail
                  /\ UNCHANGED <<life, rows, works, given, notes, owner, late, counts, misled>>
  /\ UNCHANGED <<elected, planner, posted>>

-----------------------------------------------------------------------------
(* What a live worker does in the end. *)
Duty ==
  \/ \E w \in Workers : Return(w) \/ Leave(w) \/ Fence(w) \/ Tombstone(w)
  \/ \E w \in Workers, l \in Leases : Take(w, l) \/ GiveAway(w, l) \/ Receive(w, l) \/ Reconcile(w, l)

Weather ==
  \/ \E w \in Workers : Crash(w) \/ Silence(w) \/ Stop(w) \/ Collect(w)
  \/ \E l \in Leases : LateGive(l)

Planning ==
  \/ \E w \in Workers : Claim(w) \/ ReadPlanner(w) \/ Handle(w)
  \/ \E w \in Workers, l \in Leases : Post(w, l)

Next == Duty \/ Weather \/ Planning

Spec == Init /\ [][Next]_vars

(* Each duty is done once and no more until something changes, so it is      *)
(* enough to be fair to all of them together.                                *)
Live == Spec /\ WF_vars(Duty)

LiveWithoutPlanner == Init /\ [][Duty \/ Weather]_vars /\ WF_vars(Duty)

-----------------------------------------------------------------------------
(* At most one worker works a lease. *)
S1 == \A l \in Leases : Cardinality({w \in Workers : l \in works[w]}) <= 1

(* And it is the one that the row names. *)
S3 == \A w \in Workers : \A l \in works[w] : owner[l] = w

(* Nobody does what he knows a deposed planner said, or what was said of     *)
(* another tenure.                                                           *)
S9 == ~misled

(* Every lease is owned by a live worker in the end. *)
L1 == <>[](\A l \in Leases : IF owner[l] = None THEN FALSE ELSE Up(owner[l]))

(* The same without any planner. *)
L7 == L1

(* No lease names for ever a live worker that does not work it. *)
L8 == <>[](\A l \in Leases : IF owner[l] = None THEN TRUE ELSE Up(owner[l]) => l \in works[owner[l]])
=============================================================================
