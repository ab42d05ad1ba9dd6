------------------------------- MODULE Belief --------------------------------
(***************************************************************************)
(* Beat, belief, death: one worker, the row that it beats, and observers   *)
(* who fence it and take its lease. The timing argument of the protocol,   *)
(* on clocks that run at different rates.                                  *)
(*                                                                         *)
(* Time. A tick is what the fastest allowed clock counts. Every clock      *)
(* counts each tick, but may lose one once it has counted W since it last  *)
(* lost one: so its rate is between W/(W+1) and 1 of the fastest, which is *)
(* (1-rho)/(1+rho) .. 1 with rho = 1/(2W+1). Only ages are kept, each on   *)
(* the clock of its process and never beyond what decides; there is no     *)
(* "now", so time does not end.                                            *)
(*                                                                         *)
(* A process that is paused takes no step while its clock runs: nothing    *)
(* here makes anybody act, so every step may come late, or never. A        *)
(* request or an answer is delayed likewise; one that never arrives is     *)
(* lost; one that may arrive again stays.                                  *)
(***************************************************************************)
EXTENDS Rules

CONSTANTS
  D,          \* for how long one acknowledged beat carries belief (the safety margin is taken as 0: the bound itself is tried)
  W,          \* the clock-rate bound, see above
  MaxBeat,    \* the last beat of the worker
  Attempts,   \* how often one beat is sent at most
  Observers

(* expiryMs: D (1+rho)/(1-rho), rounded up. *)
T == ((D * (W + 1) + W - 1) \div W) - (IF Rule("expiry-one-tick-smaller") THEN 0 ELSE 1)

Worker == "worker"
Clocks == {Worker} \cup Observers

VARIABLES
  row,        \* the worker's row: its beat, and how it was fenced if it was
  copy,       \* the row as an eventually consistent read may still show it
  forcedFor,  \* ticks since a forced fence was applied
  proc,       \* the worker: "up", "leaving" (its `left` is sent), "over" (it crashed, or learned that it is fenced)
  acked,      \* its last acknowledged beat
  held,       \* its time since the first attempt of that beat was sent; D: no belief
  tried,      \* the beat that it sent last; in flight while it is above acked
  attempt,    \* how many times it was sent
  since,      \* its time since the first attempt of it
  answer,     \* whether an answer to it is under way that says that it was applied
  seen,       \* by observer: the highest beat that it saw
  timer,      \* its time since it received that
  reading,    \* its read of the row: none, asked, or what comes back
  askedFor,   \* its time since it asked
  silent,     \* whether it read that same beat again after T
  fencing,    \* the beat that its fence under way names; -1: none
  knows,      \* the fence that it saw
  waited,     \* its time since it saw a forced fence
  owner,      \* of the lease
  steady      \* by clock: how many ticks it has counted since it lost one

clocks == <<steady, forcedFor>>
worker == <<proc, acked, held, tried, attempt, since, answer>>
observer == <<seen, timer, reading, askedFor, silent, fencing, knows, waited>>
vars == <<row, copy, clocks, worker, observer, owner>>

None == [beat |-> -1, fence |-> "none"]
Asked == [beat |-> -1, fence |-> "asked"]
Unfenced == row.fence = "no"
InFlight == tried > acked

Believes == held < D /\ (proc = "up" \/ (proc = "leaving" /\ ~Rule("left-still-beats")))
Beats == proc = "up" \/ (proc = "leaving" /\ ~Rule("left-still-beats"))

Init ==
  /\ row = [beat |-> 0, fence |-> "no"] /\ copy = row
  /\ forcedFor = 0
  /\ proc = "up" /\ acked = 0 /\ held = D /\ tried = 0 /\ attempt = 0 /\ since = 0 /\ answer = FALSE
  /\ seen = [x \in Observers |-> 0] /\ timer = [x \in Observers |-> 0]
  /\ reading = [x \in Observers |-> None] /\ askedFor = [x \in Observers |-> 0]
  /\ silent = [x \in Observers |-> FALSE] /\ fencing = [x \in Observers |-> -1]
  /\ knows = [x \in Observers |-> "no"] /\ waited = [x \in Observers |-> 0]
  /\ owner = Worker
  /\ steady = [c \in Clocks |-> W]

-----------------------------------------------------------------------------
(* Time *)

Tick == \E lost \in SUBSET {c \in Clocks : steady[c] = W} :
  LET Aged(c, age, most) == IF c \in lost THEN age ELSE Min(age + 1, most) IN
  /\ steady' = [c \in Clocks |-> IF c \in lost THEN 0 ELSE Min(steady[c] + 1, W)]
  /\ forcedFor' = IF row.fence = "forced" THEN Min(forcedFor + 1, T) ELSE 0
  /\ held' = Aged(Worker, held, D)
  /\ since' = IF InFlight THEN Aged(Worker, since, D) ELSE 0
  /\ timer' = [x \in Observers |-> Aged(x, timer[x], T)]
  /\ waited' = [x \in Observers |-> IF knows[x] = "forced" THEN Aged(x, waited[x], T) ELSE 0]
  \* What an intact rule never asks for is not kept.
  /\ askedFor' = [x \in Observers |->
       IF reading[x] = None \/ Rule("observer-from-send") THEN 0 ELSE Aged(x, askedFor[x], T)]
  /\ UNCHANGED <<row, copy, proc, acked, tried, attempt, answer, seen, reading, silent, fencing, knows, owner>>

-----------------------------------------------------------------------------
(* The worker *)

(* One beat is in flight at a time. *)
SendBeat ==
  /\ Beats /\ ~InFlight /\ tried < MaxBeat
  /\ tried' = tried + 1 /\ attempt' = 1 /\ since' = 0 /\ answer' = FALSE
  /\ UNCHANGED <<row, copy, clocks, proc, acked, held, observer, owner>>

(* The first attempt counts, whichever of them was applied. One that finds its beat applied is refused, and the row   *)
(* that comes back with the refusal (or a consistent read) says so; an answer that was lost is made up for like this. *)
RetryBeat ==
  /\ Beats /\ InFlight /\ attempt < Attempts
  /\ attempt' = attempt + 1
  /\ since' = IF Rule("belief-from-last-attempt") THEN since ELSE 0
  /\ answer' = (answer \/ (row.beat = tried /\ Unfenced) \/ ~Rule("refusal-counts-as-acknowledged"))
  /\ UNCHANGED <<row, copy, clocks, proc, acked, held, tried, observer, owner>>

(* An attempt that arrives at the store, early or late; its answer may be lost. *)
ApplyBeat(answered) ==
  /\ InFlight /\ row.beat = tried - 1
  /\ Unfenced \/ ~Rule("beat-ignores-fence")
  /\ row' = [row EXCEPT !.beat = tried]
  /\ answer' = (answer \/ answered)
  /\ UNCHANGED <<copy, clocks, proc, acked, held, tried, attempt, since, observer, owner>>

(* Nothing but this extends belief. *)
Acknowledged ==
  /\ Beats /\ InFlight /\ answer
  /\ acked' = tried /\ answer' = FALSE /\ attempt' = 0 /\ since' = 0
  /\ held' = IF Rule("belief-from-response") THEN since ELSE 0
  /\ UNCHANGED <<row, copy, clocks, proc, tried, observer, owner>>

(* The worker takes some other lease, which is free: that says nothing about its row, and so extends no belief. *)
TakeAnother ==
  /\ proc = "up" /\ held < D
  /\ held' = IF Rule("take-extends-belief") THEN held ELSE 0
  /\ UNCHANGED <<row, copy, clocks, proc, acked, tried, attempt, since, answer, observer, owner>>

Over == proc' = "over" /\ held' = D /\ attempt' = 0 /\ since' = 0 /\ answer' = FALSE

Crash ==
  /\ proc \in {"up", "leaving"} /\ Over
  /\ UNCHANGED <<row, copy, clocks, acked, tried, observer, owner>>

(* It reads its own row. A forced fence lets it keep the belief that it has. *)
LearnsFenced ==
  /\ proc \in {"up", "leaving"} /\ row.fence \notin {"no", "forced"} /\ Over
  /\ UNCHANGED <<row, copy, clocks, acked, tried, observer, owner>>

(* The belief ends when `left` is sent, not when it is applied; from then on it beats no more. *)
SendLeft ==
  /\ proc = "up" /\ proc' = "leaving"
  /\ UNCHANGED <<row, copy, clocks, acked, held, tried, attempt, since, answer, observer, owner>>

ApplyLeft ==
  /\ proc = "leaving" /\ Unfenced
  /\ row' = [row EXCEPT !.fence = "left"]
  /\ UNCHANGED <<copy, clocks, worker, observer, owner>>

-----------------------------------------------------------------------------
(* Its parent process, and the operator *)

(* On the exit event of its child, for the operating system has confirmed the death; the condition names no beat. *)
ParentFence ==
  /\ proc = "over" \/ ~Rule("parent-fences-before-exit")
  /\ Unfenced
  /\ row' = [row EXCEPT !.fence = "parent"]
  /\ UNCHANGED <<copy, clocks, worker, observer, owner>>

ForcedFence ==
  /\ Unfenced
  /\ row' = [row EXCEPT !.fence = "forced"] /\ forcedFor' = 0
  /\ UNCHANGED <<copy, steady, worker, observer, owner>>

-----------------------------------------------------------------------------
(* The observers *)

Replicate ==
  /\ copy # row /\ copy' = row
  /\ UNCHANGED <<row, clocks, worker, observer, owner>>

Ask(x) ==
  /\ reading[x] = None /\ knows[x] = "no"
  /\ reading' = [reading EXCEPT ![x] = Asked] /\ askedFor' = [askedFor EXCEPT ![x] = 0]
  /\ UNCHANGED <<row, copy, clocks, worker, seen, timer, silent, fencing, knows, waited, owner>>

(* The store answers, from the row or from a replica that lags; the answer may take as long as it likes. *)
Serve(x) ==
  /\ reading[x] = Asked
  /\ \E version \in {row, copy} : reading' = [reading EXCEPT ![x] = version]
  /\ UNCHANGED <<row, copy, clocks, worker, seen, timer, askedFor, silent, fencing, knows, waited, owner>>

(* Counted from when the answer is received. What is older than what it saw is a stale read and says nothing. *)
Receive(x) ==
  LET got == reading[x] IN
  /\ got \notin {None, Asked}
  /\ reading' = [reading EXCEPT ![x] = None]
  /\ IF got.fence # "no"
     THEN /\ knows' = [knows EXCEPT ![x] = got.fence] /\ waited' = [waited EXCEPT ![x] = 0]
          /\ seen' = [seen EXCEPT ![x] = got.beat] /\ timer' = [timer EXCEPT ![x] = 0]
          /\ fencing' = [fencing EXCEPT ![x] = -1] /\ silent' = [silent EXCEPT ![x] = FALSE]
     ELSE /\ UNCHANGED <<knows, waited, fencing>>
          /\ IF got.beat > seen[x]
             THEN /\ seen' = [seen EXCEPT ![x] = got.beat]
                  /\ timer' = [timer EXCEPT ![x] = IF Rule("observer-from-send") THEN 0 ELSE askedFor[x]]
                  /\ silent' = [silent EXCEPT ![x] = FALSE]
             ELSE /\ silent' = [silent EXCEPT ![x] = (got.beat = seen[x] /\ timer[x] = T) \/ silent[x]]
                  /\ UNCHANGED <<seen, timer>>
  /\ askedFor' = [askedFor EXCEPT ![x] = 0]
  /\ UNCHANGED <<row, copy, clocks, worker, owner>>

(* After T of its own time it still reads the same beat. *)
SendFence(x) ==
  /\ silent[x] /\ fencing[x] = -1
  /\ fencing' = [fencing EXCEPT ![x] = seen[x]]
  /\ UNCHANGED <<row, copy, clocks, worker, seen, timer, reading, askedFor, silent, knows, waited, owner>>

ApplyFence(x) ==
  /\ fencing[x] >= 0 /\ Unfenced
  /\ row.beat = fencing[x] \/ ~Rule("fence-without-beat")
  /\ row' = [row EXCEPT !.fence = "observer"]
  /\ UNCHANGED <<copy, clocks, worker, observer, owner>>

(* The refusal shows the newer row: it starts over with that, and gives up neither the fence nor the worker. *)
FenceRefused(x) ==
  /\ fencing[x] >= 0 /\ row.beat # fencing[x] /\ Unfenced
  /\ Rule("refused-fence-gives-up")
  /\ fencing' = [fencing EXCEPT ![x] = -1]
  /\ seen' = [seen EXCEPT ![x] = row.beat] /\ timer' = [timer EXCEPT ![x] = 0]
  /\ silent' = [silent EXCEPT ![x] = FALSE]
  /\ UNCHANGED <<row, copy, clocks, worker, reading, askedFor, knows, waited, owner>>

(* The lease of a fenced worker is free; that of one that an operator fenced only T later. *)
Take(x) ==
  /\ owner = Worker
  /\ \/ knows[x] \in {"observer", "left", "parent"}
     \/ knows[x] = "forced" /\ (waited[x] = T \/ ~Rule("take-right-after-forced-fence"))
     \/ ~Rule("take-without-fence") /\ silent[x]
  /\ owner' = x
  /\ UNCHANGED <<row, copy, clocks, worker, observer>>

-----------------------------------------------------------------------------
Next ==
  \/ Tick
  \/ SendBeat \/ RetryBeat \/ ApplyBeat(TRUE) \/ ApplyBeat(FALSE) \/ Acknowledged
  \/ TakeAnother \/ Crash \/ LearnsFenced \/ SendLeft \/ ApplyLeft \/ ParentFence \/ ForcedFence
  \/ Replicate
  \/ \E x \in Observers :
       Ask(x) \/ Serve(x) \/ Receive(x) \/ SendFence(x) \/ ApplyFence(x) \/ FenceRefused(x) \/ Take(x)

Spec == Init /\ [][Next]_vars

(* What the death of a worker needs: time, a replica that catches up, and observers who look and whose fences arrive. *)
Fair ==
  /\ WF_vars(Tick) /\ WF_vars(Replicate)
  /\ \A x \in Observers : WF_vars(Ask(x) \/ Serve(x) \/ Receive(x)) /\ WF_vars(SendFence(x))
                          /\ WF_vars(ApplyFence(x)) /\ WF_vars(FenceRefused(x))
FairSpec == Spec /\ Fair

-----------------------------------------------------------------------------
Versions == [beat : 0..MaxBeat, fence : {"no", "observer", "left", "parent", "forced"}]

TypeOK ==
  /\ row \in Versions /\ copy \in Versions
  /\ forcedFor \in 0..T /\ proc \in {"up", "leaving", "over"}
  /\ acked \in 0..MaxBeat /\ held \in 0..D /\ tried \in acked..(acked + 1) /\ attempt \in 0..Attempts
  /\ since \in 0..D /\ answer \in BOOLEAN
  /\ \A x \in Observers : seen[x] \in 0..MaxBeat /\ timer[x] \in 0..T /\ fencing[x] \in -1..MaxBeat
                          /\ reading[x] \in Versions \cup {None, Asked} /\ waited[x] \in 0..T
  /\ owner \in Clocks
  /\ \A c \in Clocks : steady[c] \in 0..W

(* At any instant at most one worker believes in the lease. A new owner is taken to believe from its take on. *)
S1 == owner # Worker => ~Believes

(* A fenced worker never beats again. *)
S5 == [][row.fence # "no" => row'.beat = row.beat]_vars

(* Belief ends before the fence applies; before T has passed since a forced one, on any clock. *)
S6 ==
  /\ row.fence \in {"observer", "left", "parent"} => ~Believes
  /\ row.fence = "forced" /\ forcedFor = T => ~Believes

(* Only the acknowledgement of a beat extends belief, and it counts from when that beat was first sent. *)
S7 == [][held' < held => acked' = acked + 1 /\ held' = since]_vars

(* The death of a worker is noticed. *)
L6 == proc = "over" ~> row.fence # "no"
=============================================================================
