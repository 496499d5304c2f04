(******************************************************************************)
(* Checkers of one unit against residuals, and of answers that are on the     *)
(* wrong side of 0.                                                           *)
(*                                                                            *)
(*      check_unit == a unit (w, b) has the inner product q with the residuals *)
(*                   and q is not 0: it separates                             *)
(*  check_no_unit == the residuals of each group sum to 0, and not all are 0: *)
(*                   no function of the input separates                       *)
(*    check_wrong == the output is on the wrong side of 0 at k of the inputs  *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_signs check_minima check_gaps check_rank.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Section Lists.

Variables (d N : nat) (zs : seq (seq Q)).

Definition check_unit (rs w : seq Q) b q :=
  [&& sized d N zs, size rs == N, size w == d, ~~ Qeq_bool q Q0
    & Qeq_bool q (lterms [seq (p.2, lactivity w b p.1) | p <- zip zs rs])].

Definition lgroup (rs : seq Q) z : Q :=
  lfold [seq (if lsame p.1 z then p.2 else Q0) | p <- zip zs rs].

Definition check_no_unit (rs : seq Q) :=
  [&& sized d N zs, size rs == N, has (fun r => ~~ Qeq_bool r Q0) rs
    & all (fun z => Qeq_bool (lgroup rs z) Q0) zs].

Definition check_wrong n us c (sides : seq bool) (k : nat) :=
  [&& fits d 1 n us c, sized d N zs, size sides == N
    & count (fun p => lpos (qhead (leval Qops us c p.1)) != p.2)
            (zip zs sides) == k].

End Lists.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Arguments int_of_Z : simpl never.

Variables (d N : nat) (zs : seq (seq Q)).
Let z := points R d N zs.
Let residuals (rs : seq Q) (i : 'I_N) : R^o := ratio (nth Q0 rs i).

Lemma zip_ord (T : Type) (t0 : T) (ts : seq T) :
    size zs = N -> size ts = N ->
  zip zs ts = map (fun i : 'I_N => (nth [::] zs i, nth t0 ts i)) (enum 'I_N).
Proof.
move=> zs_N ts_N; have zip_N : size (zip zs ts) = N.
  by rewrite size_zip zs_N ts_N minnn.
rewrite -[LHS](nth_enum ([::], t0) zip_N); apply: eq_map => i.
by rewrite nth_zip ?zs_N.
Qed.

Theorem C4_check_unit rs w b q : check_unit d N zs rs w b q ->
  \sum_i relu (dot (vec d w) (z i) + ratio b) *: residuals rs i = ratio q
  /\ ratio q != 0.
Proof.
case/and5P=> zs_d /eqP rs_N /eqP w_d q0; rewrite -(ratioP R) => /eqP qE.
split; last by rewrite -(ratio0 R) ratioP.
have /andP[/eqP zs_N _] := zs_d.
rewrite qE lterms_correct big_map (zip_ord Q0 zs_N rs_N) big_map big_enum /=.
apply: eq_bigr => i _; rewrite ratio_relu.
by rewrite (height_correct R b w_d (sized_nth zs_d i)) mulrC.
Qed.

Theorem C4_check_no_unit rs : check_no_unit d N zs rs ->
  (forall i, gsum z (residuals rs) (z i) = 0)
  /\ exists i, residuals rs i != 0.
Proof.
case/and4P=> zs_d /eqP rs_N some /(all_nthP [::]) none.
have /andP[/eqP zs_N _] := zs_d; have sizes := sized_nth zs_d; split=> [i|].
  have := none i; rewrite zs_N => /(_ (ltn_ord i)).
  rewrite -(ratioP R) ratio0 /lgroup /lfold ratio_sum => /eqP sum0.
  rewrite -[RHS]sum0 (zip_ord Q0 zs_N rs_N) big_map big_enum /gsum [LHS]big_mkcond /=.
  apply: eq_bigr => j _.
  rewrite -(lsameP R) -(row_vec R (sizes j)) -(row_vec R (sizes i)).
  rewrite (inj_eq (@row_inj R d)) /z /points.
  by case: (vec d _ == vec d _); rewrite ?ratio0.
have /(has_nthP Q0)[k k_rs rk] := some; rewrite rs_N in k_rs.
by exists (Ordinal k_rs); rewrite /residuals -(ratio0 R) ratioP.
Qed.

Theorem N9_check_wrong n us c sides k : check_wrong d N zs n us c sides k ->
  #|[pred i | (0 < eval (qnet R d 1 n us c) (z i) 0 0) != nth false sides i]|
  = k.
Proof.
case/and4P=> ok zs_d /eqP sides_N /eqP <-.
have /andP[/eqP zs_N _] := zs_d.
rewrite (zip_ord false zs_N sides_N) count_map -sum1_count big_enum_cond.
rewrite -sum1_card; apply: eq_bigl => i; rewrite inE /=; congr (_ != _).
by rewrite -(ratio_gt0 R) (head_eval R ok (sized_nth zs_d i)).
Qed.

End Correct.
