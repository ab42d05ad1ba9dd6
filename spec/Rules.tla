------------------------------- MODULE Rules --------------------------------
(***************************************************************************)
(* What every spec here shares.                                            *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

(* The rules that are taken away. A configuration that must hold has none; *)
(* a mutant has one, named like its patch in test/mutants where the same   *)
(* rule has one.                                                           *)
CONSTANT Without

Rule(name) == name \notin Without

Max(a, b) == IF a > b THEN a ELSE b
Min(a, b) == IF a < b THEN a ELSE b
=============================================================================
