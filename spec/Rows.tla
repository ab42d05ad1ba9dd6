-------------------------------- MODULE Rows ---------------------------------
(***************************************************************************)
(* The life of a worker's row: created by a request that may arrive late,  *)
(* beaten, written to by others, fenced, collected; deleted by an          *)
(* operator's hand while its worker lives, and replaced by a tombstone.    *)
(*                                                                         *)
(* One worker, its observers, one lease. Clocks run alike here, so T = D;   *)
(* what their rates do is in Belief. Requests may be applied late, those   *)
(* of beats also more than once; nobody has to act. Ages as in Belief.     *)
(***************************************************************************)
EXTENDS Rules, TLC

CONSTANTS
  Observers,
  D,
  MaxBeat,
  MaxDeletes  \* how often an operator deletes the row

T == D
Worker == "worker"
Alike == Permutations(Observers)

NoRow == [beat |-> -9, fence |-> "no"]
Tombstone == [beat |-> -1, fence |-> "no"]
(* What a write without its condition leaves where there was no row. *)
Stub == [beat |-> -5, fence |-> "no"]

VARIABLES
  row, deletes,
  creating,   \* how many creation requests are under way
  created,    \* how many were sent
  told,       \* whether an answer is under way that says that the row was made
  proc,       \* "new", "creating", "up", "over"
  acked, held, tried, since, answer,  \* as in Belief
  claims,     \* whether the worker runs a tenure of the lease: over when its belief lapses, begun anew by a write only
  leaving,    \* whether its `left` is under way
  note,       \* whether a giver's note to it is under way
  seen,       \* by observer: the row as it saw it
  timer, fencing, knows,              \* as in Belief
  owner

store == <<row, deletes>>
creation == <<creating, created, told>>
belief == <<acked, held, tried, since, answer, claims>>
observer == <<seen, timer, fencing, knows>>
vars == <<store, creation, proc, belief, leaving, note, observer, owner>>

Exists == row # NoRow
Unfenced == row.fence = "no"
InFlight == tried > acked
Believes == proc = "up" /\ ~leaving /\ held < D /\ claims

Init ==
  /\ row = NoRow /\ deletes = 0
  /\ creating = 0 /\ created = 0 /\ told = FALSE /\ proc = "new"
  /\ acked = 0 /\ held = D /\ tried = 0 /\ since = 0 /\ answer = FALSE /\ claims = FALSE
  /\ leaving = FALSE /\ note = FALSE
  /\ seen = [x \in Observers |-> NoRow] /\ timer = [x \in Observers |-> 0]
  /\ fencing = [x \in Observers |-> NoRow] /\ knows = [x \in Observers |-> FALSE]
  /\ owner = "nobody"

Tick ==
  /\ held' = Min(held + 1, D)
  /\ since' = IF InFlight THEN Min(since + 1, D) ELSE 0
  /\ claims' = (claims /\ held' < D)
  /\ timer' = [x \in Observers |-> IF seen[x] = NoRow \/ knows[x] THEN 0 ELSE Min(timer[x] + 1, T)]
  /\ UNCHANGED <<store, creation, proc, acked, tried, answer, leaving, note, seen, fencing, knows, owner>>

-----------------------------------------------------------------------------
(* Creation *)

(* One request for one id. Where it stays without an answer, the worker asks whether its row is there, or takes another   *)
(* id. It may not be repeated under the same id: one of the two can arrive late, when the row that the other made is gone, *)
(* fenced and deleted by hand; then a worker that others know to be fenced beats and believes again.                      *)
SendCreation ==
  /\ proc = "new" \/ (proc = "creating" /\ created < 2 /\ ~Rule("creation-repeated"))
  /\ proc' = "creating" /\ created' = created + 1 /\ creating' = creating + 1
  /\ UNCHANGED <<store, told, belief, leaving, note, observer, owner>>

(* A late one must not un-fence: the parent process may have made the row, fenced. *)
ApplyCreation ==
  /\ creating > 0 /\ creating' = creating - 1
  /\ row' = IF ~Exists \/ ~Rule("creation-unconditional") THEN [beat |-> 0, fence |-> "no"] ELSE row
  /\ told' = (told \/ (proc = "creating" /\ row'.beat = 0 /\ row'.fence = "no"))
  /\ UNCHANGED <<deletes, created, proc, belief, leaving, note, observer, owner>>

Created ==
  /\ proc = "creating" /\ told /\ proc' = "up"
  /\ UNCHANGED <<store, creation, belief, leaving, note, observer, owner>>

-----------------------------------------------------------------------------
(* The worker *)

SendBeat ==
  /\ proc = "up" /\ ~leaving /\ ~InFlight /\ tried < MaxBeat
  /\ tried' = tried + 1 /\ since' = 0 /\ answer' = FALSE
  /\ UNCHANGED <<store, creation, proc, acked, held, claims, leaving, note, observer, owner>>

(* Any beat ever sent may arrive again, also at a row that was made anew. *)
ApplyBeat(k) ==
  /\ k <= tried /\ row.beat = k - 1 /\ Unfenced
  /\ row' = [row EXCEPT !.beat = k]
  /\ answer' = (answer \/ (k = tried /\ InFlight /\ proc = "up"))
  /\ UNCHANGED <<deletes, creation, proc, acked, held, tried, since, claims, leaving, note, observer, owner>>

Acknowledged ==
  /\ proc = "up" /\ ~leaving /\ InFlight /\ answer
  /\ acked' = tried /\ held' = since /\ since' = 0 /\ answer' = FALSE
  /\ UNCHANGED <<store, creation, proc, tried, claims, leaving, note, observer, owner>>

(* The first take, or a resume after the belief lapsed: by a write that names the owner as it is. *)
TakeOrResume ==
  /\ proc = "up" /\ ~leaving /\ held < D /\ ~claims /\ owner \in {"nobody", Worker}
  /\ owner' = Worker /\ claims' = TRUE
  /\ UNCHANGED <<store, creation, proc, acked, held, tried, since, answer, leaving, note, observer>>

Over == proc' = "over" /\ held' = D /\ since' = 0 /\ answer' = FALSE /\ claims' = FALSE

Crash ==
  /\ proc \in {"creating", "up"} /\ Over
  /\ UNCHANGED <<store, creation, acked, tried, leaving, note, observer, owner>>

(* It finds its own row missing, fenced or a tombstone: it never writes that row again. *)
Learns ==
  /\ proc = "up" /\ (~Exists \/ ~Unfenced \/ row.beat = -1) /\ Over
  /\ UNCHANGED <<store, creation, acked, tried, leaving, note, observer, owner>>

SendLeft ==
  /\ proc = "up" /\ ~leaving /\ leaving' = TRUE
  /\ UNCHANGED <<store, creation, proc, belief, note, observer, owner>>

ApplyLeft ==
  /\ leaving /\ row.beat >= -1 /\ Unfenced
  /\ row' = [row EXCEPT !.fence = "left"]
  /\ UNCHANGED <<deletes, creation, proc, belief, leaving, note, observer, owner>>

-----------------------------------------------------------------------------
(* Its parent process, on its exit event: without a beat condition, and making the row if need be. *)
ParentFence ==
  /\ proc = "over" /\ Unfenced
  /\ row' = IF Exists THEN [row EXCEPT !.fence = "parent"] ELSE [Stub EXCEPT !.fence = "parent"]
  /\ UNCHANGED <<deletes, creation, proc, belief, leaving, note, observer, owner>>

(* Others write to its row: a note, say, from who saw it live. *)

SendNote ==
  /\ ~note /\ row.beat >= 1 /\ Unfenced /\ note' = TRUE
  /\ UNCHANGED <<store, creation, proc, belief, leaving, observer, owner>>

ApplyNote ==
  /\ note /\ note' = FALSE
  /\ row' = IF ~Exists /\ ~Rule("writes-without-row-condition") THEN Stub ELSE row
  /\ UNCHANGED <<deletes, creation, proc, belief, leaving, observer, owner>>

DeletesByHand ==
  /\ Exists /\ deletes < MaxDeletes
  /\ row' = NoRow /\ deletes' = deletes + 1
  /\ UNCHANGED <<creation, proc, belief, leaving, note, observer, owner>>

-----------------------------------------------------------------------------
(* The observers *)

Starts(x, what) == seen' = [seen EXCEPT ![x] = what] /\ timer' = [timer EXCEPT ![x] = 0]
Knows(x, is) == knows' = [knows EXCEPT ![x] = is]

(* A tombstone is no older row but another one: each observer watches it from its own first read on. *)
Looks(x) ==
  /\ ~knows[x] /\ row # seen[x]
  /\ IF ~Exists THEN Starts(x, NoRow) /\ UNCHANGED knows
     ELSE IF ~Unfenced THEN Starts(x, row) /\ Knows(x, TRUE)
     ELSE /\ UNCHANGED knows
          /\ row.beat > seen[x].beat \/ row.beat = -1
          /\ Starts(x, row)
  /\ UNCHANGED <<store, creation, proc, belief, leaving, note, fencing, owner>>

(* Whoever finds a lease that names a worker without a row. *)
MakesTombstone ==
  /\ owner = Worker /\ ~Exists /\ row' = Tombstone
  /\ UNCHANGED <<deletes, creation, proc, belief, leaving, note, observer, owner>>

(* Silent for T, and it still reads the same. A stub has no beat that a fence could name. *)
SendFence(x) ==
  /\ ~knows[x] /\ seen[x].beat >= -1 /\ timer[x] = T /\ row.beat = seen[x].beat /\ fencing[x] = NoRow
  /\ fencing' = [fencing EXCEPT ![x] = seen[x]]
  /\ UNCHANGED <<store, creation, proc, belief, leaving, note, seen, timer, knows, owner>>

ApplyFence(x) ==
  /\ fencing[x] # NoRow /\ fencing' = [fencing EXCEPT ![x] = NoRow]
  /\ row' = IF Unfenced /\ row.beat = fencing[x].beat THEN [row EXCEPT !.fence = "observer"] ELSE row
  /\ UNCHANGED <<deletes, creation, proc, belief, leaving, note, seen, timer, knows, owner>>

Takes(x) ==
  /\ owner = Worker
  /\ knows[x] \/ (~Rule("tombstone-frees-at-once") /\ seen[x] = Tombstone)
  /\ owner' = x
  /\ UNCHANGED <<store, creation, proc, belief, leaving, note, observer>>

(* When no lease names it, by anybody who knows it for fenced. *)
Collects(x) ==
  /\ Rule("fenced-rows-stay") /\ knows[x] /\ owner # Worker /\ Exists /\ ~Unfenced
  /\ row' = NoRow /\ Starts(x, NoRow) /\ Knows(x, FALSE)
  /\ UNCHANGED <<deletes, creation, proc, belief, leaving, note, fencing, owner>>

(* It reads that the fenced row is gone: deleted by hand, or collected by another. *)
Forgets(x) ==
  /\ knows[x] /\ owner # Worker /\ (~Exists \/ Unfenced)
  /\ Knows(x, FALSE) /\ Starts(x, NoRow)
  /\ UNCHANGED <<store, creation, proc, belief, leaving, note, fencing, owner>>

-----------------------------------------------------------------------------
Next ==
  \/ Tick
  \/ SendCreation \/ ApplyCreation \/ Created
  \/ SendBeat \/ (\E k \in 1..MaxBeat : ApplyBeat(k)) \/ Acknowledged
  \/ TakeOrResume \/ Crash \/ Learns \/ SendLeft \/ ApplyLeft \/ ParentFence
  \/ SendNote \/ ApplyNote \/ DeletesByHand
  \/ MakesTombstone
  \/ \E x \in Observers :
       Looks(x) \/ SendFence(x) \/ ApplyFence(x) \/ Takes(x) \/ Collects(x) \/ Forgets(x)

Spec == Init /\ [][Next]_vars

(* Time and the observers; and a creation that is under way arrives or is lost: here it arrives. *)
FairSpec ==
  /\ Spec /\ WF_vars(Tick) /\ WF_vars(ApplyCreation) /\ WF_vars(MakesTombstone)
  /\ \A x \in Observers :
       /\ WF_vars(Looks(x)) /\ WF_vars(SendFence(x)) /\ WF_vars(ApplyFence(x))
       /\ WF_vars(Takes(x)) /\ WF_vars(Collects(x)) /\ WF_vars(Forgets(x))

TypeOK ==
  /\ row.beat \in {-9, -5} \cup -1..MaxBeat
  /\ row.fence \in {"no", "observer", "left", "parent"}
  /\ creating \in 0..created /\ proc \in {"new", "creating", "up", "over"}
  /\ acked \in 0..MaxBeat /\ tried \in acked..(acked + 1) /\ held \in 0..D /\ since \in 0..D
  /\ owner \in {"nobody", Worker} \cup Observers
  /\ \A x \in Observers : timer[x] \in 0..T /\ knows[x] \in BOOLEAN

(* At most one worker believes in the lease. *)
S1 == owner \in Observers => ~Believes

(* A fenced row is beaten no more: no write changes it, and only its removal ends it. *)
S5 == [][row.fence # "no" => row' \in {row, NoRow}]_vars

(* Belief ends before the fence applies. *)
S6 == row.fence # "no" => ~Believes

(* Every row can be fenced, for it has a beat that a fence can name. *)
NoStub == row # Stub

(* Every death is fenced and collected. *)
L6 == (proc = "over" /\ Exists) ~> ~Exists
=============================================================================
