---------------------------- MODULE HistoryTrace ----------------------------
(***************************************************************************)
(* Whether what a fleet told of one lease is a behaviour of History.tla.   *)
(*                                                                         *)
(* Projected are truth and history: which tenure there was at an epoch,    *)
(* told by whoever began, handed over, released, raised, marked or made it *)
(* again when the answer came; and each entry that was archived, with its  *)
(* owner, how it began and how it ended. Whoever changes a tenure tells    *)
(* that the previous one is archived before it sends the change.           *)
(*                                                                         *)
(* Hidden, and chosen by TLC: when an entry and a change is sent and when  *)
(* it lands, and changes whose answer never came. A trace begins when the  *)
(* row has been made; creations and removals are not followed.             *)
(***************************************************************************)
EXTENDS History, Follow

TraceInit ==
  /\ FollowInit
  /\ LET first == Tenure(1, "created", None)
     IN /\ row = [NoRow EXCEPT !.is = "lease", !.epoch = 1, !.present = first]
        /\ truth = [e \in Epochs |-> IF e = 1 THEN first ELSE None]
  /\ net = {}
  /\ puts = {}
  /\ history = [e \in Epochs |-> None]
  /\ creators = {}
  /\ aside = 1
  /\ unhanded = {}
  /\ byHand = 0
  /\ used = 1
  /\ again = FALSE

OwnerOf(step) == IF step.owner = "none" THEN None ELSE step.owner
Says(step) == Tenure(step.epoch, step.how, OwnerOf(step))

Tells ==
  /\ CASE Step.is = "change" -> truth[Step.epoch] = Says(Step)
       [] Step.is = "archived" -> history[Step.epoch] = Entry(Says(Step), Step.endedBy)
  /\ UNCHANGED vars

(* Nothing else may happen at an epoch than what is told of it. *)
AsTold(tenure) == \A step \in Future : step.is = "change" /\ step.epoch = tenure.epoch => Says(step) = tenure

WasToldArchived(epoch) == \E step \in Past : step.is = "archived" /\ step.epoch = epoch

(* What is sent and never lands changes nothing: one at a time is enough. *)
SendsOne ==
  /\ net = {}
  /\ IF row.previous = None THEN TRUE ELSE WasToldArchived(row.previous.epoch)
  /\ SendTake \/ SendRaise \/ SendRelease \/ SendMark \/ SendRecreate
  /\ \A r \in net' : AsTold(Tenure(r.epoch + 1, r.kind, r.to))

TraceNext ==
  /\ More
  /\ \/ Tells /\ Tell
     \/ TellNothing /\ (Archive \/ PutLands \/ SendsOne \/ Land)
=============================================================================
