(******************************************************************************)
(* Checkers of where a point lies: in the convex hull of the inputs, by its   *)
(* weights, or beyond a hyperplane that has all inputs on one side. As in     *)
(* check_nets.v, what they accept holds of the points that the lists are.     *)
(*                                                                            *)
(*   check_inside d N zs ls x == x is the sum of l_i z_i, l_i >= 0 with sum 1 *)
(* check_outside d N zs w b x == w . z_i + b <= 0 for all i, w . x + b > 0    *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition lneg (q : Q) : bool := if Qnum q is Zneg _ then true else false.

Definition one : Q := qnat 1.

Definition check_inside (d N : nat) zs (ls : seq Q) (x : seq Q) :=
  [&& sized d N zs, size ls == N, size x == d, all (fun l => ~~ lneg l) ls,
      Qeq_bool (foldr (oadd Qops) Q0 ls) one
    & lsame (lsum d [seq lscale Qops p.1 p.2 | p <- zip ls zs]) x].

Definition height (w : seq Q) b z : Q := oadd Qops (ldot Qops w z) b.

Definition check_outside (d N : nat) zs w b x :=
  [&& sized d N zs, size w == d, size x == d, lpos (height w b x)
    & all (fun z => ~~ lpos (height w b z)) zs].

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Notation points := (points R).
Variables (d N : nat) (zs : seq (seq Q)).
Let z := points d N zs.

Lemma ratio_ge0 q : (0 <= ratio q) = ~~ lneg q.
Proof.
have -> : lneg q = lpos (Qopp q) by case: q => [[|p|p] q].
rewrite -(ratio_gt0 R); have -> : ratio (Qopp q) = - ratio q.
  by rewrite -(ratio_eq R (Qred_correct _)) ratioN.
by rewrite oppr_gt0 leNgt.
Qed.

Lemma height_correct w b x : size w = d -> size x = d ->
  ratio (height w b x) = dot (vec d w) (vec d x) + ratio b.
Proof.
move=> w_d x_d; rewrite /height ratioD; congr (_ + _).
rewrite -ldot_row (row_vec _ w_d) (row_vec _ x_d).
by rewrite ldot_ratio.
Qed.

Theorem C10_check_outside w b x : check_outside d N zs w b x ->
  (forall i, dot (vec d w) (z i) + ratio b <= 0)
  /\ 0 < dot (vec d w) (vec d x) + ratio b.
Proof.
case/and5P=> zs_d /eqP w_d /eqP x_d beyond /all_nthP below.
rewrite -height_correct // ratio_gt0; split=> // i.
rewrite -height_correct ?(sized_nth zs_d) // leNgt ratio_gt0; apply: below.
by case/andP: zs_d => /eqP->.
Qed.

Theorem C10_check_inside ls x : check_inside d N zs ls x ->
  exists l : 'I_N -> R,
  [/\ forall i, 0 <= l i, \sum_i l i = 1 & vec d x = \sum_i l i *: z i].
Proof.
case/andP=> zs_d /andP[/eqP ls_N] /and4P[/eqP x_d /all_nthP ge0 sum1 same].
have sizes := sized_nth zs_d; have /andP[/eqP zs_N _] := zs_d.
exists (fun i => ratio (nth Q0 ls i)); split=> [i||].
- by rewrite ratio_ge0; apply: ge0; rewrite ls_N.
- move: sum1; rewrite -(ratioP R) -[ls in foldr _ _ ls](nth_enum Q0 ls_N).
  by rewrite ratio_sum big_enum ratio_nat => /eqP.
apply: row_inj; rewrite (row_vec _ x_d); apply/esym/eqP.
move: same; rewrite -(lsameP R) => /eqP <-; apply/eqP.
have -> : zip ls zs
    = map (fun i : 'I_N => (nth Q0 ls i, nth [::] zs i)) (enum 'I_N).
  have lz_N : size (zip ls zs) = N by rewrite size_zip ls_N zs_N minnn.
  rewrite -[LHS](nth_enum (Q0, [::]) lz_N); apply: eq_map => i.
  by rewrite nth_zip ?ls_N.
rewrite -map_comp ratio_lsum => [|i]; last by rewrite /= size_map sizes.
rewrite big_enum; congr row; apply: eq_bigr => i _ /=.
apply: row_inj; rewrite -lscale_row (row_vec _ (sizes i)) ratio_lscale.
by rewrite row_vec // size_map.
Qed.

End Correct.
