------------------------------- MODULE Follow -------------------------------
(***************************************************************************)
(* What every trace spec here shares. A trace is a sequence of what was    *)
(* told; a behaviour follows it by taking, for each of them in its order,  *)
(* the steps of the model that tell it, and between two of them a few that *)
(* nobody tells of. Whatever the trace does not fix TLC chooses.           *)
(*                                                                         *)
(* TLC says of each trace that a behaviour has told whole that it was      *)
(* followed. Of one that it does not say this, there is none.              *)
(***************************************************************************)
EXTENDS Integers, Sequences, TLC

CONSTANTS Traces, \* records: steps, and whatever else the spec wants to know of one
          Unseen  \* the most steps between two told ones

VARIABLES which,  \* the trace that is followed
          at,     \* how much of it has been told
          unseen  \* steps since then

following == <<which, at, unseen>>

FollowInit == which \in DOMAIN Traces /\ at = 0 /\ unseen = 0

Steps == Traces[which].steps
More == at < Len(Steps)
Step == Steps[at + 1]

(* Those that are still to be told, and those that have been. *)
Future == {Steps[i] : i \in at + 1 .. Len(Steps)}
Past == {Steps[i] : i \in 1 .. at}

(* The first that is still to be told of those with the property; Len + 1: none. *)
NextOf(Is(_)) ==
  LET those == {i \in at + 1 .. Len(Steps) : Is(Steps[i])}
  IN IF those = {} THEN Len(Steps) + 1 ELSE CHOOSE i \in those : \A other \in those : i <= other

Tell ==
  /\ at' = at + 1 /\ unseen' = 0 /\ UNCHANGED which
  /\ at + 1 = Len(Steps) => PrintT(<<"followed", which>>)

TellNothing == unseen < Unseen /\ unseen' = unseen + 1 /\ UNCHANGED <<which, at>>
=============================================================================
