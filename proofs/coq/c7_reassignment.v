(******************************************************************************)
(* C7, reassignment: a train-idle circuit of a net above the noise floor can  *)
(* be reused: a net of the same size that differs only in the parameters of   *)
(* the circuit, and in the shift c, has lower loss.                           *)
(*                                                                            *)
(*      C7_one_unit == one unit j of the circuit is enough: hardcode the      *)
(*                   circuit, then reassign j alone                           *)
(*  C7_reassignment == the claim                                              *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance c6_underparameterised.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Reassignment.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Definition set_unit theta j w b a :=
  reassign theta [set j] (fun=> w) (fun=> b) (fun=> a) (shift theta).

(* A unit with output weight 0, set to (w, b, a), acts as one more unit.      *)
Lemma eval_set_unit theta j w b a x : outw theta j = 0 ->
  eval (set_unit theta j w b a) x = eval (add_unit theta w b a) x.
Proof.
move=> aj0; rewrite eval_add_unit !(eval_circuit _ [set j]) /=.
rewrite (circuit_out_off _ (@off_reassign _ _ _ _ _ _ _ _ _ _)).
rewrite /circuit_out !big_set1 aj0 scaler0 addr0 /act /= inE eqxx.
by rewrite addrAC.
Qed.

Lemma loss_set_unit theta j w b a : outw theta j = 0 ->
  loss z y (set_unit theta j w b a) = loss z y (add_unit theta w b a).
Proof.
by move=> aj0; congr (_ * _); apply: eq_bigr => i _; rewrite eval_set_unit.
Qed.

Theorem C7_one_unit theta J v j : idle_at z theta J v -> j \in J ->
  floor z y < loss z y theta ->
  exists w b a, loss z y (set_unit (hardcode theta J v) j w b a)
                < loss z y theta.
Proof.
move=> idleJ jJ; rewrite -(C2_same_mse idleJ).
move=> /(C6_equivalents z y _ 2%N 1%N) [w [b [a lt_a]]].
by exists w, b, a; rewrite loss_set_unit //= jJ.
Qed.

Theorem C7_reassignment theta J : J != set0 -> train_idle z theta J ->
  floor z y < loss z y theta ->
  exists theta', off J theta theta' /\ loss z y theta' < loss z y theta.
Proof.
move=> /set0Pn[j jJ] [v idleJ] lt_E.
have [w [b [a lt_a]]] := C7_one_unit idleJ jJ lt_E.
exists (set_unit (hardcode theta J v) j w b a); split=> //.
apply: off_trans (@off_hardcode _ _ _ _ _ _ v) _.
by apply: off_sub (@off_reassign _ _ _ _ _ _ _ _ _ _); rewrite sub1set.
Qed.

End Reassignment.
