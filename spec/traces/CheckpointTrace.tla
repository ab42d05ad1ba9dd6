--------------------------- MODULE CheckpointTrace --------------------------
(***************************************************************************)
(* Whether what a fleet told of one lease is a behaviour of Checkpoint.tla *)
(*                                                                         *)
(* Projected are row.epoch, row.cp and the tenures: their begins with the  *)
(* place they begin from, the batches that they finish, checkpoints with   *)
(* their place when the answer comes, refusals, raises, ends, handoffs and *)
(* releases when their answer comes. Places are ranks of the positions     *)
(* that were told, so a record of the model is a stretch of records.       *)
(*                                                                         *)
(* Hidden, and chosen by TLC: when a write is sent and when it lands,      *)
(* whether its answer comes; takes; when a tenure that was told to have    *)
(* ended lost its lease. Prepare and commit are not shipped, and nobody    *)
(* moves a checkpoint by hand here.                                        *)
(***************************************************************************)
EXTENDS Checkpoint, Follow

VARIABLE landed \* writes that took effect: by, epoch, to

TraceInit ==
  /\ FollowInit
  /\ row = [owner |-> None, epoch |-> Traces[which].epoch, cp |-> Traces[which].cp, pending |-> 0, writeId |-> 0]
  /\ grant = [w \in Workers |-> None]
  /\ work = [w \in Workers |-> None]
  /\ asked = [w \in Workers |-> None]
  /\ net = {}
  /\ writes = 0
  /\ done = 1 .. Traces[which].cp
  /\ rewinds = 0
  /\ begun = 0
  /\ floor = Traces[which].cp
  /\ least = 0
  /\ late = FALSE
  /\ landed = {}

(* As many steps of Process as it takes to get there. *)
ProcessTo(w, to) ==
  /\ work[w] # None /\ to <= Records
  /\ work' = [work EXCEPT ![w].at = Max(@, to)]
  /\ done' = done \cup (work[w].at + 1 .. to)
  /\ UNCHANGED <<row, grant, asked, net, writes, rewinds, ghosts>>

WasLanded(w, epoch, to) == \E l \in landed : l.by = w /\ l.epoch <= epoch /\ l.to = to

(* A tenure that was lost in the model works no more; what it tells later is only the end of what was under way. *)
Tells ==
  LET w == Step.of IN
  CASE Step.is = "began" -> grant[w] # None /\ grant[w].epoch = Step.epoch /\ grant[w].cp = Step.to /\ Begin(w)
    [] Step.is = "finished" -> work[w] # None /\ work[w].epoch = Step.epoch /\ ProcessTo(w, Step.to)
    [] Step.is = "checkpointed" -> WasLanded(w, Step.epoch, Step.to) /\ UNCHANGED vars
    [] Step.is = "unknown" -> asked[w] # None /\ asked[w].to = Step.to /\ asked[w].epoch = Step.epoch /\ UNCHANGED vars
    [] Step.is = "refused" -> IF asked[w] = None THEN work[w] = None /\ UNCHANGED vars
                              ELSE Refused(w) /\ work'[w] = None
    [] Step.is = "raised" -> begun >= Step.epoch + 1 /\ UNCHANGED vars
    [] Step.is = "given" -> row.epoch > Step.epoch /\ UNCHANGED vars
    [] Step.is = "ended" -> UNCHANGED vars

(* What the next begins say bounds what may happen to the row until then. *)
NextBegin == NextOf(LAMBDA s : s.is = "began")
MayBecome(w) ==
  LET next == NextBegin IN
  IF next > Len(Steps) THEN TRUE
  ELSE \/ row.epoch + 1 < Steps[next].epoch
       \/ row.epoch + 1 = Steps[next].epoch /\ Steps[next].of = w

(* Told by the tenure at its epoch, still to come. *)
Busy(w) == \E s \in Future : s.of = w /\ s.is \in {"finished", "raised", "unknown"} /\ s.epoch = work[w].epoch
HasEnded(w) == \E s \in Past : s.of = w /\ s.is = "ended" /\ s.epoch = work[w].epoch
WillBegin(w) == \E s \in Future : s.of = w /\ s.is = "began" /\ s.epoch = grant[w].epoch

(* A write is of the place that its worker tells of next, or of the one where the next tenure begins. *)
Asks(w) ==
  /\ work[w] # None
  /\ LET told == NextOf(LAMBDA s : s.of = w /\ s.is \in {"checkpointed", "unknown", "refused"})
         next == NextBegin
         places == {Steps[i].to : i \in {told, next} \cap 1 .. Len(Steps)}
     IN AskCheckpoint(w) /\ asked'[w].to \in places

Hidden ==
  \/ \E w \in Workers :
       \/ MayBecome(w) /\ Take(w)
       \/ grant[w] # None /\ ~WillBegin(w) /\ Begin(w)
       \/ work[w] # None /\ ~Busy(w) /\ Lose(w)
       \/ /\ work[w] # None /\ ~Busy(w) /\ HasEnded(w)
          /\ \/ \E to \in Workers \ {w} : MayBecome(to) /\ Handoff(w, to)
             \/ MayBecome(None) /\ Release(w)
       \/ Asks(w)
       \/ Refused(w) /\ work'[w] # None
       \/ /\ \E s \in Past : s.of = w /\ s.is = "unknown" /\ s.epoch = row.epoch
          /\ Raise(w)

Lands == Land /\ LET r == CHOOSE r \in net : row'.writeId = r.id
                 IN landed' = landed \cup {[by |-> r.by, epoch |-> r.epoch, to |-> r.to]}

TraceNext ==
  /\ More
  /\ \/ Tells /\ Tell /\ UNCHANGED landed
     \/ TellNothing /\ Hidden /\ UNCHANGED landed
     \/ TellNothing /\ Lands
=============================================================================
