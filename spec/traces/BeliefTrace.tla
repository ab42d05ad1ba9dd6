----------------------------- MODULE BeliefTrace ----------------------------
(***************************************************************************)
(* Whether what a worker told, and one who observed it, is a behaviour of  *)
(* Belief.tla.                                                             *)
(*                                                                         *)
(* Projected are the worker's beats (sent, sent again, acknowledged), its  *)
(* acts, each of which needs belief, its end; of the observer when it saw  *)
(* the beat that it fences under, the fence, its outcome, the fence as     *)
(* read, and its take of a lease that was the worker's. And time: a tick   *)
(* stands between two of these for each border of a tick between them.     *)
(* Clocks lose no ticks: a tick is so long that what real clocks may lose  *)
(* is within its rounding.                                                 *)
(*                                                                         *)
(* Hidden, and chosen by TLC: when a beat and a fence is applied, and the  *)
(* reads. Of each just when something told needs it, since one that came   *)
(* earlier allows nothing more.                                            *)
(***************************************************************************)
EXTENDS Belief, Follow

(* It has beaten before, and no belief is left of that. *)
TraceInit ==
  /\ FollowInit
  /\ row = [beat |-> 0, fence |-> "no"] /\ copy = row
  /\ forcedFor = 0
  /\ proc = "up" /\ acked = 0 /\ held = D /\ tried = 0 /\ attempt = 0 /\ since = 0 /\ answer = FALSE
  /\ seen = [x \in Observers |-> 0] /\ timer = [x \in Observers |-> 0]
  /\ reading = [x \in Observers |-> None] /\ askedFor = [x \in Observers |-> 0]
  /\ silent = [x \in Observers |-> FALSE] /\ fencing = [x \in Observers |-> -1]
  /\ knows = [x \in Observers |-> "no"] /\ waited = [x \in Observers |-> 0]
  /\ owner = Worker
  /\ steady = [c \in Clocks |-> W]

X == CHOOSE x \in Observers : TRUE
Same == UNCHANGED vars

Tells ==
  CASE Step.is = "tick" -> Tick /\ steady' = steady
    [] Step.is = "sent" -> IF tried < Step.beat THEN SendBeat /\ tried' = Step.beat ELSE tried = Step.beat /\ RetryBeat
    [] Step.is = "acknowledged" -> tried = Step.beat /\ Acknowledged
    [] Step.is = "acts" -> Believes /\ Same
    [] Step.is = "leaves" -> SendLeft
    [] Step.is = "died" -> IF proc = "over" THEN Same ELSE Crash
    [] Step.is = "ended" -> IF proc = "over" THEN Same
                            ELSE IF row.fence \in {"no", "forced"} THEN Crash ELSE LearnsFenced
    [] Step.is = "forced" -> row.fence = "forced" /\ Same
    [] Step.is = "saw" -> seen[X] = Step.beat /\ Same
    [] Step.is = "fences" -> IF fencing[X] = -1 THEN SendFence(X) /\ fencing'[X] = Step.beat
                             ELSE fencing[X] = Step.beat /\ Same
    [] Step.is = "refused" -> fencing[X] = -1 /\ Same
    [] Step.is = "fenced" -> row.fence = "observer" /\ Same
    [] Step.is = "knows" -> knows[X] = Step.fence /\ Same
    [] Step.is = "takes" -> IF owner = Worker THEN Take(X) ELSE knows[X] # "no" /\ Same

Needs(what) == Step.is \in what
Known == {s.fence : s \in {s \in Future : s.is = "knows"}}

(* The fences that somebody else writes are the ones that the observer comes to know. *)
Hidden ==
  \/ Needs({"acknowledged", "saw", "refused"}) /\ (ApplyBeat(TRUE) \/ ApplyBeat(FALSE))
  \/ Needs({"saw", "fences", "knows"}) /\ (Ask(X) \/ Serve(X) \/ Receive(X))
  \/ Needs({"fenced", "knows", "ended"}) /\ ApplyFence(X)
  \/ Needs({"refused"}) /\ FenceRefused(X)
  \/ Needs({"knows", "ended"}) /\ Known = {"left"} /\ ApplyLeft
  \/ Needs({"knows", "ended"}) /\ Known = {"parent"} /\ ParentFence
  \/ Needs({"knows", "forced"}) /\ Known = {"forced"} /\ ForcedFence

TraceNext ==
  /\ More
  /\ \/ Tells /\ Tell
     \/ TellNothing /\ Hidden
=============================================================================
