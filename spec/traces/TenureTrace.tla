----------------------------- MODULE TenureTrace ----------------------------
(***************************************************************************)
(* Whether what a fleet told of one lease is a behaviour of Tenure.tla.    *)
(*                                                                         *)
(* Projected are life, tenure, highest and row.epoch of the workers that   *)
(* held the lease: creations, begins, raises, ends, lapses, drains, leaves,*)
(* deaths; and what is told when an answer comes: that a handoff or a      *)
(* release has landed, that somebody is fenced. Between two of them a few  *)
(* steps are taken that nobody tells of: requests sent and landed, reads,  *)
(* fences, beliefs that run out and come back. Neither marks nor removals  *)
(* are followed, and time is not: the fence of a worker comes when its     *)
(* belief is over, which the monitor checks by the clock.                  *)
(***************************************************************************)
EXTENDS Tenure, Follow

(* Who was told to be fenced; who has left or died may be at any time. And  *)
(* who was fenced by force.                                                 *)
Fenced == Traces[which].fenced
Forced == Traces[which].forced

(* The row stands, as discovery made it, at the epoch before the first begin's. *)
TraceInit ==
  /\ FollowInit
  /\ life = [w \in Workers |-> "unborn"]
  /\ belief = [w \in Workers |-> FALSE]
  /\ fence = [w \in Workers |-> "none"]
  /\ tenure = [w \in Workers |-> 0]
  /\ highest = [w \in Workers |-> 0]
  /\ heard = [w \in Workers |-> {}]
  /\ row = [is |-> "lease", owner |-> None, epoch |-> 1]
  /\ net = {}
  /\ used = 1
  /\ begun = 0
  /\ again = FALSE
  /\ late = FALSE

(* Sent by a worker whose lease had come to rest and whose belief ran out   *)
(* while it wrote the history. Tenure.tla has no such sender: it adds       *)
(* nothing to a request that was sent in time and landed late.              *)
SentLate(w, epoch) ==
  /\ tenure[w] = 0 /\ row.owner = w /\ row.epoch = epoch
  /\ \E to \in Workers \ {w} : Send(Change("handoff", w, to))
  /\ UNCHANGED <<workerVars, ghosts>>

Tells(event) ==
  LET w == event.of IN
  CASE event.is = "created" -> Start(w)
    [] event.is = "draining" -> Drain(w)
    [] event.is = "left" -> Leave(w)
    [] event.is = "died" -> Crash(w)
    [] event.is = "began" -> Begin(w) /\ tenure'[w] = event.epoch
    [] event.is = "given" -> IF tenure[w] = event.epoch THEN SendHandoff(w) \/ SendRelease(w) ELSE UNCHANGED vars
    [] event.is = "lost" -> IF tenure[w] = event.epoch THEN Lapse(w) ELSE UNCHANGED vars
    [] event.is = "late" -> SentLate(w, event.epoch)
    [] event.is = "landed" -> used > event.epoch /\ UNCHANGED vars
    [] event.is = "fenced" -> fence[w] # "none" /\ UNCHANGED vars

Untold ==
  \/ \E w \in Workers :
       \/ Lapse(w) \/ Recover(w)
       \/ (w \in Fenced \/ life[w] = "closed") /\ Fence(w)
       \/ w \in Forced /\ ForceFence(w)
       \/ SendTake(w) \/ SendRaise(w) \/ SendReconcilingRelease(w)
       \/ Read(w)
  \/ Land

TraceNext ==
  /\ More
  /\ \/ Tells(Step) /\ Tell
     \/ TellNothing /\ Untold
=============================================================================
