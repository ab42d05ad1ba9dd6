----------------------------- MODULE FleetTrace -----------------------------
(***************************************************************************)
(* Whether what a fleet told of one lease is a behaviour of Fleet.tla.     *)
(*                                                                         *)
(* Projected are life, rows, works, elected and posts of the workers that  *)
(* held the lease, were to get it, or planned for it: stops, leaves,       *)
(* deaths, lapses, fences as seen, tombstones, collected rows; begins,     *)
(* handoffs sent, handoffs and releases that landed; planners elected and  *)
(* deposed, directives posted. And the owner of each epoch: a change of    *)
(* hands of the model is one epoch of the row.                             *)
(*                                                                         *)
(* Hidden, and chosen by TLC: when a row changes, who falls silent before  *)
(* it is fenced, notes, reconciles, when a planner's epoch is read.        *)
(***************************************************************************)
EXTENDS Fleet, Follow

VARIABLE owners \* of each epoch, since the trace began; the first is nobody's

L == CHOOSE l \in Leases : TRUE

TraceInit ==
  /\ FollowInit
  /\ Init
  /\ owners = <<None>>

Epoch == Len(owners)
OwnerAt(epoch) == IF epoch \in DOMAIN owners THEN owners[epoch] ELSE "not yet"
Named(name) == IF name = "none" THEN None ELSE name

Same == UNCHANGED vars

(* Given away by a leaver, or because a directive says so. *)
Gives(w) == L \in works[w] /\ (GiveAway(w, L) \/ Handle(w)) /\ L \notin works'[w]

Tells ==
  LET w == Step.of IN
  CASE Step.is = "began" -> L \in works[w] /\ Epoch = Step.epoch /\ owner[L] = w /\ Same
    [] Step.is = "gives" -> Gives(w)
    [] Step.is = "given" -> OwnerAt(Step.epoch + 1) = Named(Step.to) /\ Same
    [] Step.is = "draining" -> Stop(w)
    [] Step.is = "left" -> Leave(w)
    [] Step.is = "over" -> IF life[w] \in {"up", "draining", "silent"} THEN Crash(w) ELSE Same
    [] Step.is = "silent" -> IF Up(w) THEN Silence(w) ELSE life[w] # "draining" /\ Same
    [] Step.is = "fenced" -> rows[w] # "live" /\ Same
    [] Step.is = "collected" -> rows[w] = "gone" /\ Same
    [] Step.is = "buried" -> IF rows[w] = "gone" THEN Tombstone(w) ELSE Same
    [] Step.is = "elected" -> elected[w] = Step.epoch /\ Same
    [] Step.is = "deposed" -> elected[w] # Step.epoch /\ Same
    [] Step.is = "posted" -> posted >= Step.epoch /\ Same

Still(w, what) == \E s \in Future : s.of = w /\ s.is \in what

(* A change of the row is to be one that fits all that is told of that epoch later. *)
Fits ==
  LET next == Epoch + 1
      new == owner'[L]
  IN \A s \in Future :
       /\ s.is = "began" /\ s.epoch = next => new = s.of
       /\ s.is = "given" /\ s.epoch + 1 = next => new = Named(s.to)
Moved == owner'[L] # owner[L] \/ \E w \in Workers : L \in given[w] \cap works'[w] /\ L \notin works[w]

(* The next that will be told to work the lease. *)
NextOwner == LET next == NextOf(LAMBDA s : s.is = "began") IN IF next > Len(Steps) THEN None ELSE Steps[next].of

Posts(w) ==
  /\ Post(w, L)
  /\ LET i == NextOf(LAMBDA s : s.is = "posted")
     IN /\ i <= Len(Steps) /\ Steps[i].of = w /\ owner[L] = Steps[i].from
        /\ \E d \in posts'[owner[L]] \ posts[owner[L]] : d.to = Steps[i].to /\ d.by = Steps[i].by

(* Each just when something told may need it: one that came earlier allows nothing more. *)
Before(what) == Step.is \in what

Hidden ==
  \/ \E w \in Workers :
       \/ /\ w = NextOwner /\ Before({"began", "given", "posted"})
          /\ Take(w, L) \/ Receive(w, L) \/ Reconcile(w, L) \/ Return(w)
       \/ Before({"began", "given"}) /\ life[w] = "draining" /\ Reconcile(w, L)
       \/ /\ Before({"began", "fenced", "silent", "collected"})
          /\ Still(w, {"fenced", "silent", "over"}) /\ ~Still(w, {"gives"}) /\ Silence(w)
       \/ Before({"began", "fenced", "collected"}) /\ Still(w, {"fenced", "collected"}) /\ Fence(w)
       \/ Before({"collected", "buried"}) /\ Still(w, {"collected", "buried"}) /\ Collect(w)
       \/ /\ Before({"elected", "deposed"}) /\ Still(w, {"elected"}) /\ Claim(w)
          /\ elected'[w] = Steps[NextOf(LAMBDA s : s.of = w /\ s.is = "elected")].epoch
       \/ Before({"deposed"}) /\ Still(w, {"deposed"}) /\ ReadPlanner(w)
       \/ Before({"posted", "gives"}) /\ Posts(w)
  \/ Before({"began", "given"}) /\ LateGive(L)

TraceNext ==
  /\ More
  /\ \/ Tells /\ Tell
     \/ TellNothing /\ Hidden
  /\ IF Moved THEN Fits /\ owners' = Append(owners, owner'[L]) ELSE UNCHANGED owners
=============================================================================
