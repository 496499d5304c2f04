(******************************************************************************)
(* C13, rent: at a minimiser every circuit J, idle or not, lowers the loss by *)
(* at least what the best reassignment of J would gain. The loss without J is *)
(* that of hardcode theta J v, for any v: J put out, and the shift c + v.     *)
(*                                                                            *)
(*       C13_rent == against every net that differs from theta on J and c     *)
(*   C13_rent_unit == against one ReLU unit (w, b): the gain is               *)
(*                    |s|^2 / (N q), s and q as in C5, for the residuals of   *)
(*                    the net without J                                       *)
(*    C13_rent_gap == so the circuit pays c(X) times the distance of the net  *)
(*                    without J from the noise floor (c(X) as in C12)         *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c5_exact_descent c7_reassignment.
From absence Require Import c12_uniform_gap.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Rent.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Variables (theta : net R d m n) (J : {set 'I_n}) (v : 'rV[R]_m).
Hypothesis min_theta : minimiser z y theta.

Let without := hardcode theta J v.

Theorem C13_rent theta' : off J theta theta' ->
  loss z y without - loss z y theta' <= loss z y without - loss z y theta.
Proof. by move=> _; rewrite lerD2l lerN2; apply: min_theta. Qed.

Theorem C13_rent_unit w b :
  let phi i := relu (dot w (z i) + b) in
  let s := \sum_i phi i *: (y i - eval without (z i)) in
  let q := \sum_i phi i ^+ 2 in
  J != set0 -> N%:R^-1 * (normsq s / q) <= loss z y without - loss z y theta.
Proof.
move=> phi s q /set0Pn[j jJ].
have aj0 : outw without j = 0 by rewrite /= jJ.
have [s0|s_neq0] := eqVneq s 0.
  rewrite (eqP (_ : normsq s == 0)) ?normsq_eq0 ?s0 // mul0r mulr0 subr_ge0.
  exact: min_theta.
have := min_theta (set_unit without j w b (q^-1 *: s)).
by rewrite loss_set_unit // C5_add_unit // lerBrDl addrC -lerBrDl.
Qed.

Theorem C13_rent_gap w h D : gauge z w h D -> J != set0 ->
  gap N h D * (loss z y without - floor z y)
  <= loss z y without - loss z y theta.
Proof.
move=> gauge_w /set0Pn[j jJ].
have aj0 : outw without j = 0 by rewrite /= jJ.
have [b [a le_a]] := C12_gain gauge_w y without.
have := min_theta (set_unit without j w b a).
rewrite loss_set_unit // => /le_trans/(_ le_a).
by rewrite lerBrDl addrC -lerBrDl.
Qed.

End Rent.
