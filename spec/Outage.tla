------------------------------- MODULE Outage --------------------------------
(***************************************************************************)
(* Blind time: an outage of the store, of reads or of writes or of both,   *)
(* in which nobody dies, fences nobody, however long it lasts. And who     *)
(* dies, also in an outage, is fenced after it.                            *)
(*                                                                         *)
(* Every worker beats, reads the rows and observes all others. Unlike in   *)
(* Belief, workers here act in time: a tick ends only when each has had    *)
(* its turn in it, once each, in any order, unless it pauses, for at most  *)
(* MaxPause ticks. A tick is one heartbeat interval and one poll. Which    *)
(* beat a row shows does not matter here, only whether it is another one   *)
(* than was seen.                                                          *)
(***************************************************************************)
EXTENDS Rules, TLC

CONSTANTS
  Workers,
  T,          \* expiryMs, in ticks
  Gap,        \* the blind gap, D/2: a longer one in reads or in own beats restarts an observer's timers
  MaxPause,   \* how many turns in a row a worker may miss without being dead; an outage and a pause together are no silence
  MaxOutages, \* how many outages there are
  MinOutage,  \* no shorter one: an outage shorter than Gap is a pause of everybody
  MaxDeaths

VARIABLES
  down,       \* what the store does not answer at present
  outages,    \* how many outages there have been
  lasted,     \* for how long the present one has
  dead, fenced,
  missed,     \* by worker: turns missed in a row
  beaten, looked,  \* whether it has had its turn in this tick
  mute,       \* its time since its last acknowledged beat
  unread,     \* its time since it last read the rows
  news,       \* by observer and worker: a beat that the observer has not seen
  timer,      \* its time of silence
  phase,      \* what its timer does: it counts, or waits for a read, or for a beat of the observer's own and then a read
  trying      \* whether a fence is under way that is repeated until it has an answer

store == <<down, outages, lasted>>
fate == <<dead, fenced>>
turns == <<missed, beaten, looked>>
observing == <<timer, phase, trying>>
vars == <<store, fate, turns, mute, unread, news, observing>>

Alike == Permutations(Workers)
Pairs == {p \in Workers \X Workers : p[1] # p[2]}
Running(w) == w \notin dead
Up(what) == what \notin down
Others(w) == {p \in Pairs : p[1] = w}

Init ==
  /\ down = {} /\ outages = 0 /\ lasted = 0
  /\ dead = {} /\ fenced = {}
  /\ missed = [w \in Workers |-> 0]
  /\ beaten = [w \in Workers |-> FALSE] /\ looked = [w \in Workers |-> FALSE]
  /\ mute = [w \in Workers |-> 0] /\ unread = [w \in Workers |-> 0]
  /\ news = [p \in Pairs |-> FALSE]
  /\ timer = [p \in Pairs |-> 0] /\ phase = [p \in Pairs |-> "counts"] /\ trying = [p \in Pairs |-> FALSE]

-----------------------------------------------------------------------------
Tick ==
  /\ \A w \in Workers \ dead : beaten[w] /\ looked[w]
  /\ beaten' = [w \in Workers |-> FALSE] /\ looked' = [w \in Workers |-> FALSE]
  /\ mute' = [w \in Workers |-> IF Running(w) THEN Min(mute[w] + 1, Gap + 1) ELSE 0]
  /\ unread' = [w \in Workers |-> IF Running(w) THEN Min(unread[w] + 1, Gap + 1) ELSE 0]
  /\ timer' = [p \in Pairs |-> IF Running(p[1]) /\ phase[p] = "counts" THEN Min(timer[p] + 1, T) ELSE 0]
  /\ lasted' = IF down = {} THEN 0 ELSE Min(lasted + 1, MinOutage)
  /\ UNCHANGED <<down, outages, fate, missed, news, phase, trying>>

(* The next outage begins when the fleet has recovered from the last: everybody has beaten and read. *)
Fails ==
  /\ down = {} /\ outages < MaxOutages
  /\ \A w \in Workers \ dead : mute[w] <= 1 + missed[w] /\ unread[w] <= 1 + missed[w]
  /\ \E what \in SUBSET {"reads", "writes"} \ {{}} : down' = what
  /\ outages' = outages + 1 /\ lasted' = 0
  /\ UNCHANGED <<fate, turns, mute, unread, news, observing>>

(* Reads and writes may return one after the other. *)
Returns ==
  /\ down # {} /\ lasted = MinOutage
  /\ \E what \in SUBSET down \ {down} : down' = what
  /\ UNCHANGED <<outages, lasted, fate, turns, mute, unread, news, observing>>

Dies(w) ==
  /\ Running(w) /\ Cardinality(dead) < MaxDeaths
  /\ dead' = dead \cup {w}
  /\ UNCHANGED <<store, fenced, turns, mute, unread, news, observing>>

(* Its turns in this tick go by. *)
Pauses(w) ==
  /\ Running(w) /\ ~beaten[w] /\ ~looked[w] /\ missed[w] < MaxPause
  /\ missed' = [missed EXCEPT ![w] = @ + 1]
  /\ beaten' = [beaten EXCEPT ![w] = TRUE] /\ looked' = [looked EXCEPT ![w] = TRUE]
  /\ UNCHANGED <<store, fate, mute, unread, news, observing>>

-----------------------------------------------------------------------------
Turn(w) ==
  /\ Running(w) /\ ~beaten[w]
  /\ beaten' = [beaten EXCEPT ![w] = TRUE]
  /\ missed' = [missed EXCEPT ![w] = 0]

(* A beat that ends a gap restarts the timers of its worker, at its first read from now on. *)
Beat(w) ==
  /\ Up("writes") /\ Turn(w)
  /\ news' = [p \in Pairs |-> news[p] \/ p[2] = w]
  /\ mute' = [mute EXCEPT ![w] = 0]
  /\ LET gap == mute[w] > Gap /\ Rule("blind-time-counts")
         waits(p) == p \in Others(w) /\ (gap \/ phase[p] = "beat")
     IN /\ phase' = [p \in Pairs |-> IF waits(p) THEN "read" ELSE phase[p]]
        /\ timer' = [p \in Pairs |-> IF waits(p) THEN 0 ELSE timer[p]]
  /\ UNCHANGED <<store, fate, looked, unread, trying>>

BeatFails(w) ==
  /\ ~Up("writes") /\ Turn(w)
  /\ UNCHANGED <<store, fate, looked, mute, unread, news, observing>>

(* It was applied when writes failed or returned, and nobody told the worker: no beat of its own. *)
BeatUnanswered(w) ==
  /\ down # {} /\ Turn(w)
  /\ news' = [p \in Pairs |-> news[p] \/ p[2] = w]
  /\ UNCHANGED <<store, fate, looked, mute, unread, observing>>

(* One query reads every row. A beat not seen before starts the timer of that row; so does the read that a gap waits for. *)
Read(w) ==
  /\ Up("reads") /\ Running(w) /\ ~looked[w]
  /\ looked' = [looked EXCEPT ![w] = TRUE]
  /\ unread' = [unread EXCEPT ![w] = 0]
  /\ LET gap == unread[w] > Gap /\ Rule("blind-time-counts")
         again(p) == phase[p] = "read" /\ Rule("timers-stay-stopped-after-a-gap")
         next(p) == IF news[p] THEN "counts" ELSE IF gap THEN "beat" ELSE IF again(p) THEN "counts" ELSE phase[p]
     IN /\ phase' = [p \in Pairs |-> IF p \in Others(w) THEN next(p) ELSE phase[p]]
        /\ timer' = [p \in Pairs |-> IF p \in Others(w) /\ (news[p] \/ gap \/ phase[p] = "read") THEN 0 ELSE timer[p]]
  /\ news' = [p \in Pairs |-> news[p] /\ p \notin Others(w)]
  /\ UNCHANGED <<store, fate, missed, beaten, mute, trying>>

ReadFails(w) ==
  /\ ~Up("reads") /\ Running(w) /\ ~looked[w]
  /\ looked' = [looked EXCEPT ![w] = TRUE]
  /\ UNCHANGED <<store, fate, missed, beaten, mute, unread, news, observing>>

-----------------------------------------------------------------------------
(* Silent for T of time in which the observer could beat and read: a gap that is still open counts too. *)
Silent(p) ==
  /\ phase[p] = "counts" /\ timer[p] = T
  /\ Rule("blind-time-counts") => mute[p[1]] <= Gap /\ unread[p[1]] <= Gap

(* The check stands before every single attempt. *)
MayTry(p) == Silent(p) \/ (trying[p] /\ ~Rule("fence-unchecked-on-retry"))

FenceFails(p) ==
  /\ ~Up("writes") /\ Running(p[1]) /\ p[2] \notin fenced /\ MayTry(p) /\ ~trying[p]
  /\ trying' = [trying EXCEPT ![p] = ~Rule("fence-unchecked-on-retry")]
  /\ UNCHANGED <<store, fate, turns, mute, unread, news, timer, phase>>

(* Only if the row still shows the beat that was seen; refused, the observer starts over with the row that came back. *)
Fence(p) ==
  /\ Up("writes") /\ Running(p[1]) /\ p[2] \notin fenced /\ MayTry(p)
  /\ IF news[p]
     THEN /\ news' = [news EXCEPT ![p] = FALSE] /\ timer' = [timer EXCEPT ![p] = 0]
          /\ phase' = [phase EXCEPT ![p] = "counts"] /\ UNCHANGED fenced
     ELSE fenced' = fenced \cup {p[2]} /\ UNCHANGED <<news, timer, phase>>
  /\ trying' = [trying EXCEPT ![p] = FALSE]
  /\ UNCHANGED <<store, dead, turns, mute, unread>>

-----------------------------------------------------------------------------
Next ==
  \/ Tick \/ Fails \/ Returns
  \/ \E w \in Workers :
       \/ Dies(w) \/ Pauses(w)
       \/ Beat(w) \/ BeatFails(w) \/ BeatUnanswered(w) \/ Read(w) \/ ReadFails(w)
  \/ \E p \in Pairs : FenceFails(p) \/ Fence(p)

Spec == Init /\ [][Next]_vars

Fair ==
  /\ WF_vars(Tick) /\ WF_vars(Returns)
  /\ \A w \in Workers : WF_vars(Beat(w) \/ BeatFails(w)) /\ WF_vars(Read(w) \/ ReadFails(w))
  /\ \A p \in Pairs : WF_vars(Fence(p))
FairSpec == Spec /\ Fair

TypeOK ==
  /\ down \subseteq {"reads", "writes"} /\ outages \in 0..MaxOutages /\ lasted \in 0..MinOutage
  /\ dead \subseteq Workers /\ fenced \subseteq Workers
  /\ \A w \in Workers : missed[w] \in 0..MaxPause /\ mute[w] \in 0..(Gap + 1) /\ unread[w] \in 0..(Gap + 1)
  /\ \A p \in Pairs : timer[p] \in 0..T /\ phase[p] \in {"counts", "read", "beat"}

(* Nobody who lives is fenced, whatever the store did: no lease changes its owner. *)
L4 == fenced \subseteq dead

(* Who died is fenced, by whoever lives, after the last outage. *)
L6 == \A w \in Workers : w \in dead ~> (w \in fenced \/ dead = Workers)
=============================================================================
