(******************************************************************************)
(* C8, the contradiction: under P1 (every net in S_n is beaten by a wider     *)
(* net), no minimiser of the loss on S_n has a train-idle circuit.            *)
(*                                                                            *)
(* C8_no_idle_minimiser == the claim                                          *)
(*    C8_no_idle_at == the premise is needed at the minimiser only, as L > E  *)
(*    C8_no_detector == in particular no minimiser has a circuit that is idle *)
(*                    in training and fires at some input                     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c6_underparameterised c7_reassignment.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Main.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Theorem C8_no_idle_at theta J : floor z y < loss z y theta ->
  minimiser z y theta -> J != set0 -> ~ train_idle z theta J.
Proof.
move=> lt_E min_theta J_neq0 idleJ.
have [theta' [_]] := C7_reassignment J_neq0 idleJ lt_E.
by rewrite ltNge min_theta.
Qed.

Theorem C8_no_idle_minimiser : P1 z y n ->
  forall theta, minimiser z y theta ->
  forall J, J != set0 -> ~ train_idle z theta J.
Proof.
move=> p1 theta min_theta J; apply: C8_no_idle_at min_theta.
exact/(C6_equivalents z y theta 0%N 2%N)/(p1 theta).
Qed.

Theorem C8_no_detector : P1 z y n ->
  forall theta, minimiser z y theta ->
  forall J x, J != set0 -> ~ fires z theta J x.
Proof.
move=> p1 theta min_theta J x J_neq0 [v idleJ _].
by apply: (C8_no_idle_minimiser p1 min_theta J_neq0); exists v.
Qed.

End Main.
