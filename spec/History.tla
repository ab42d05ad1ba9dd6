------------------------------ MODULE History -------------------------------
(***************************************************************************)
(* How a change of tenure gets into the history. The lease row holds its   *)
(* present and its previous tenure; whoever changes it archives the        *)
(* previous one as read, then writes under the epoch read, and that write  *)
(* rotates present to previous.                                            *)
(*                                                                         *)
(* Who may do what is Tenure.tla's subject; here anybody (a worker,        *)
(* discovery, clean-up, any number of them) tries anything that the row's  *)
(* condition allows and stops anywhere. What was sent may land at any      *)
(* later time, any number of times, or never, which is also what a stale   *)
(* read comes to: everything sent is a function of the row as it once was. *)
(*                                                                         *)
(* Two things are taken as given: no creation that has set its epoch aside *)
(* is still under way thirty days after the row was marked, nor when a row *)
(* is deleted by hand. Wall clocks count for nothing: each creator's is so *)
(* far behind that its epoch comes from the history and from what was set  *)
(* aside.                                                                  *)
(***************************************************************************)
EXTENDS Rules

CONSTANTS Owners,
          None,
          MaxEpoch,
          MaxHandDeletions,
          MaxCreators

VARIABLES
  row,      \* is (none, lease, marked), epoch, owner, present and previous tenure
  net,      \* writes of the lease row that may still land
  puts,     \* writes of the history that may still land
  history,  \* epoch -> None, or what was archived
  truth,    \* epoch -> None, or the tenure that was
  creators, \* who is about to create: what it does next, and the epoch that it wants
  aside,    \* the highest epoch set aside for a creation
  unhanded, \* epochs lost with a row that was deleted by hand
  byHand,   \* how many rows were
  used,     \* the highest epoch
  again     \* an epoch was used twice, or out of order

vars == <<row, net, puts, history, truth, creators, aside, unhanded, byHand, used, again>>

Epochs == 1 .. MaxEpoch

NoRow == [is |-> "none", epoch |-> 0, owner |-> None, present |-> None, previous |-> None]

Tenure(epoch, reason, owner) == [epoch |-> epoch, reason |-> reason, owner |-> owner]

(* What is known of a tenure when the next has begun, and of the last one   *)
(* when its marked row is to go: nothing of its end, which has not been.    *)
Entry(tenure, endedBy) ==
  [epoch |-> tenure.epoch, reason |-> tenure.reason, owner |-> tenure.owner, endedBy |-> endedBy]

Init ==
  /\ row = NoRow
  /\ net = {}
  /\ puts = {}
  /\ history = [e \in Epochs |-> None]
  /\ truth = [e \in Epochs |-> None]
  /\ creators = {}
  /\ aside = 0
  /\ unhanded = {}
  /\ byHand = 0
  /\ used = 0
  /\ again = FALSE

-----------------------------------------------------------------------------
Archived(epoch) == history[epoch] # None

(* What can change nothing any more is forgotten. *)
StillUnderWay(entries) ==
  IF Rule("history-overwrites") THEN {p \in entries : ~Archived(p.epoch)} ELSE entries

Reasons == {"taken", "raised", "released", "deleted", "recreated"}

Put(entry) ==
  /\ puts' = StillUnderWay(puts \cup {entry})
  /\ puts' # puts
  /\ UNCHANGED <<row, net, history, truth, creators, aside, unhanded, byHand, used, again>>

(* The row's previous tenure: a function of the row alone, so that a late  *)
(* duplicate says the same.                                                *)
Archive ==
  IF Rule("history-of-what-has-not-happened")
  THEN row.previous # None /\ Put(Entry(row.previous, row.present.reason))
  ELSE row.is # "none" /\ \E reason \in Reasons : Put(Entry(row.present, reason))

(* Clean-up archives the last tenure, too, before a marked row goes. *)
ArchiveLast ==
  /\ row.is = "marked"
  /\ Put(Entry(row.present, IF Rule("last-entry-claims-an-end") THEN None ELSE row.present.reason))

PutLands ==
  /\ \E entry \in puts :
       /\ Archived(entry.epoch) => ~Rule("history-overwrites")
       /\ history' = [history EXCEPT ![entry.epoch] = entry]
       /\ puts' = IF Rule("history-overwrites") THEN {p \in puts : p.epoch # entry.epoch} ELSE puts
  /\ UNCHANGED <<row, net, truth, creators, aside, unhanded, byHand, used, again>>

-----------------------------------------------------------------------------
PreviousIsArchived ==
  IF Rule("history-of-what-has-not-happened")
  THEN IF row.previous = None THEN TRUE ELSE Archived(row.previous.epoch)
  ELSE Archived(row.epoch)

Send(reason, owner) ==
  /\ row.epoch < MaxEpoch
  /\ net' = net \cup {[kind |-> reason, epoch |-> row.epoch, owner |-> row.owner, is |-> row.is, to |-> owner,
                       present |-> row.present, previous |-> row.previous]}
  /\ net' # net
  /\ UNCHANGED <<row, puts, history, truth, creators, aside, unhanded, byHand, used, again>>

(* A take, a handoff. *)
SendTake ==
  /\ row.is = "lease" /\ PreviousIsArchived
  /\ \E owner \in Owners : Send("taken", owner)

(* A resume, a reconcile, and the one after an ambiguous checkpoint. *)
SendRaise ==
  /\ row.owner # None
  /\ IF Rule("raise-without-history") THEN PreviousIsArchived ELSE TRUE
  /\ Send("raised", row.owner)

SendRelease == row.owner # None /\ PreviousIsArchived /\ Send("released", None)

SendMark == row.is = "lease" /\ PreviousIsArchived /\ Send("deleted", None)

SendRecreate == row.is = "marked" /\ PreviousIsArchived /\ Send("recreated", None)

SendRemove == row.is = "marked" /\ PreviousIsArchived /\ Archived(row.epoch) /\ Send("removed", None)

Highest ==
  CHOOSE e \in 0 .. MaxEpoch :
    (IF e = 0 THEN TRUE ELSE Archived(e)) /\ \A later \in e + 1 .. MaxEpoch : ~Archived(later)

(* Whoever creates sees the row missing, sets an epoch aside and then reads *)
(* the history, and may stand still in between. Of the rows that came and    *)
(* went until it reads, made by who set their epoch aside before it, the     *)
(* history lacks two epochs at most, or all of one at its first two; what    *)
(* others set aside after it is above its own.                               *)
SeesMissing ==
  /\ row.is = "none"
  /\ creators' = creators \cup {[next |-> IF Rule("history-read-before-setting-aside") THEN "set aside" ELSE "look",
                                 epoch |-> 1]}
  /\ creators' # creators /\ Cardinality(creators') <= MaxCreators
  /\ UNCHANGED <<row, net, puts, history, truth, aside, unhanded, byHand, used, again>>

Becomes(c, next, epoch) ==
  /\ epoch <= MaxEpoch
  /\ creators' = (creators \ {c}) \cup {[next |-> next, epoch |-> epoch]}
  /\ UNCHANGED net

Sends(c) ==
  /\ creators' = creators \ {c}
  /\ net' = net \cup {[kind |-> "created", epoch |-> c.epoch]}

(* Only ever upwards, and never the same twice. *)
SetsAside ==
  /\ \E c \in creators :
       /\ c.next \in {"set aside", "set aside, then send"}
       /\ IF c.epoch > aside \/ ~Rule("creation-by-the-clock-alone")
          THEN /\ aside' = Max(aside, c.epoch)
               /\ IF c.next = "set aside" THEN Becomes(c, "look", c.epoch) ELSE Sends(c)
          ELSE /\ Becomes(c, IF ~Rule("history-read-before-setting-aside") THEN "look"
                             ELSE IF Rule("aside-without-a-new-look") THEN "set aside" ELSE "set aside, then send",
                         aside + 2)
               /\ UNCHANGED aside
  /\ UNCHANGED <<row, puts, history, truth, unhanded, byHand, used, again>>

(* No two that are set aside are next to each other: a row at its first two epochs has told the history of neither. *)
Above ==
  LET above == Highest + (IF Rule("creation-forgets-the-unarchived") THEN 3 ELSE 1)
  IN IF Highest = 0 THEN 0
     ELSE IF above % 2 = 0 /\ Rule("epochs-set-aside-next-to-each-other") THEN above + 1 ELSE above

LooksAtHistory ==
  /\ \E c \in creators :
       /\ c.next = "look"
       /\ IF ~Rule("history-read-before-setting-aside")
          THEN Becomes(c, "set aside, then send", Max(c.epoch, Above))
          ELSE IF c.epoch >= Above THEN Sends(c) ELSE Becomes(c, "set aside", Above)
  /\ UNCHANGED <<row, puts, history, truth, aside, unhanded, byHand, used, again>>

Creates == {r \in net : r.kind = "created"}

(* Under way from the epoch that is set aside on. *)
NoneIsUnderWay ==
  /\ Creates = {}
  /\ Rule("history-read-before-setting-aside") => \A c \in creators : c.next # "look"

-----------------------------------------------------------------------------
Happens(tenure) ==
  /\ truth' = [truth EXCEPT ![tenure.epoch] = tenure]
  /\ again' = (again \/ tenure.epoch <= used)
  /\ used' = Max(used, tenure.epoch)

CreateLands(r) ==
  /\ row.is = "none"
  /\ LET tenure == Tenure(r.epoch, "created", None)
     IN /\ row' = [NoRow EXCEPT !.is = "lease", !.epoch = r.epoch, !.present = tenure]
        /\ Happens(tenure)
  /\ UNCHANGED net

Expected(r) ==
  /\ row.is = r.is
  /\ row.owner = r.owner
  /\ row.epoch = r.epoch \/ ~Rule("counter-write-without-counter-condition")

Changed(r) ==
  LET tenure == Tenure(r.epoch + 1, r.kind, r.to)
      isUntold == r.kind = "raised" /\ ~Rule("raise-without-history")
      rotates == Rule("tenure-not-rotated") /\ ~isUntold
  IN [is |-> IF r.kind = "deleted" THEN "marked" ELSE "lease", epoch |-> r.epoch + 1, owner |-> r.to,
      present |-> IF isUntold THEN r.present ELSE tenure,
      previous |-> IF rotates THEN r.present ELSE r.previous]

ChangeLands(r) ==
  /\ Expected(r)
  /\ IF r.kind = "removed"
     THEN /\ NoneIsUnderWay
          /\ row' = NoRow
          /\ UNCHANGED <<truth, used, again>>
     ELSE /\ row' = Changed(r)
          /\ Happens(Tenure(r.epoch + 1, r.kind, r.to))
  /\ net' = IF Rule("counter-write-without-counter-condition") THEN Creates ELSE net

Land ==
  /\ \E r \in net : IF r.kind = "created" THEN CreateLands(r) ELSE ChangeLands(r)
  /\ UNCHANGED <<puts, history, creators, aside, unhanded, byHand>>

LoseCreate ==
  /\ \E r \in Creates : net' = net \ {r}
  /\ UNCHANGED <<row, puts, history, truth, creators, aside, unhanded, byHand, used, again>>

DeleteByHand ==
  /\ byHand < MaxHandDeletions
  /\ row.is # "none" /\ NoneIsUnderWay
  /\ row' = NoRow
  /\ net' = {}
  /\ unhanded' = unhanded \cup {row.epoch - 1, row.epoch}
  /\ byHand' = byHand + 1
  /\ UNCHANGED <<puts, history, truth, creators, aside, used, again>>

Next ==
  \/ SendTake \/ SendRaise \/ SendRelease \/ SendMark \/ SendRecreate \/ SendRemove
  \/ SeesMissing \/ LooksAtHistory \/ SetsAside
  \/ Archive \/ ArchiveLast \/ PutLands
  \/ Land \/ LoseCreate \/ DeleteByHand

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
S2 == ~again

(* Nothing that did not happen: neither the tenure nor how it ended. *)
S12Nothing ==
  \A e \in Epochs :
    history[e] # None =>
      /\ truth[e] # None
      /\ history[e].reason = truth[e].reason /\ history[e].owner = truth[e].owner
      /\ history[e].endedBy # None => truth[e + 1] # None /\ history[e].endedBy = truth[e + 1].reason

(* Every epoch is in the row or in the history. *)
S12Every ==
  \A e \in Epochs :
    truth[e] # None =>
      \/ Archived(e)
      \/ row.present = truth[e]
      \/ row.previous = truth[e]
      \/ e \in unhanded

(* What was archived stays as it is. *)
S12Kept == [][\A e \in Epochs : history[e] # None => history'[e] = history[e]]_history
=============================================================================
