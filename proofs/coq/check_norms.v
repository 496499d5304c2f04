(******************************************************************************)
(* Checkers of classes that a norm makes small: on the line, a net that has   *)
(* the least loss of all nets of any width within a path norm.                *)
(*                                                                            *)
(*           labs q == |q|                                                    *)
(*         lpath us == the path norm of units on one input and one output     *)
(* lslope zs rs s t == sum_i r_i relu(s (z_i - t)), s a sign                  *)
(*        slope s t == the same over R, for any numbers z_i and r_i           *)
(*       check_path == the net is within the path norm B, and no net that is  *)
(*                     has a lower loss: its residuals sum to 0, no slope at  *)
(*                     an input is above k, and they and its outputs give k B *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_signs check_minima check_gaps check_rank.
From absence Require Import check_readout check_separation c25_norms.
From absence Require Import c27_almost_idle.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition labs (q : Q) : Q := if lneg q then oopp Qops q else q.

Definition lpath (us : seq (unit Q)) : Q :=
  lfold [seq omul Qops (labs (qhead un.2)) (labs (qhead un.1.1)) | un <- us].

Definition lslope (zs rs : seq (seq Q)) (s : bool) (t : Q) : Q :=
  lfold [seq omul Qops (qhead p.2) (orelu Qops (signed s (qsub (qhead p.1) t)))
        | p <- zip zs rs].

Definition check_path n N us c zs ys most k :=
  let rs := errors us c (zip zs ys) in
  [&& fits 1 1 n us c, check_data 1 1 N zs ys, qle (lpath us) most,
      Qeq_bool (lfold (map qhead rs)) Q0
    & all (fun z => qle (labs (lslope zs rs true (qhead z))) k
                    && qle (labs (lslope zs rs false (qhead z))) k) zs
      && Qeq_bool (lfold [seq omul Qops (qhead p.2) (qhead (leval Qops us c p.1))
                         | p <- zip zs rs]) (omul Qops k most)].

Local Open Scope ring_scope.

Section Steepest.

Variables (R : realFieldType) (N : nat) (z r : 'I_N -> R) (k : R).

Definition slope (s : bool) t := \sum_i r i * relu (sgn s (z i - t)).

Hypothesis sum0 : \sum_i r i = 0.
Hypothesis at_inputs : forall s j, `|slope s (z j)| <= k.

Lemma slope_beyond s t j :
    (forall i, relu (sgn s (z i - t))
               = relu (sgn s (z i - z j)) + relu (sgn s (z j - t))) ->
  `|slope s t| <= k.
Proof.
move=> shifted; rewrite -(_ : slope s (z j) = slope s t) ?at_inputs //.
rewrite /slope; under [RHS]eq_bigr do rewrite shifted mulrDr.
by rewrite big_split /= -[X in _ = _ + X]mulr_suml sum0 mul0r addr0.
Qed.

Lemma slope_between s t (j l : 'I_N) : z j <= t -> t <= z l ->
  (forall i, z i <= z j \/ z l <= z i) -> `|slope s t| <= k.
Proof.
move=> le_jt le_tl outside; have [le_lj|lt_jl] := lerP (z l) (z j).
  have -> : t = z j by apply: le_anti; rewrite le_jt (le_trans le_tl).
  exact: at_inputs.
have w_gt0 : 0 < z l - z j by rewrite subr_gt0.
have a_ge0 : 0 <= z l - t by rewrite subr_ge0.
have b_ge0 : 0 <= t - z j by rewrite subr_ge0.
have mixed : (z l - z j) * slope s t
    = (z l - t) * slope s (z j) + (t - z j) * slope s (z l).
  rewrite /slope !mulr_sumr -big_split; apply: eq_bigr => i _ /=.
  rewrite ![_ * (r i * _)]mulrCA -mulrDr; congr (_ * _).
  case: (outside i) => le_i; case: s; rewrite /sgn.
  - rewrite !relu_0 ?mulr0 ?addr0 // subr_le0 //; apply: le_trans le_i _ => //.
    exact: le_trans le_tl.
  - rewrite !opprB !relu_id ?subr_ge0 //; try by ring.
    + exact: le_trans le_i (le_trans le_jt le_tl).
    exact: le_trans le_i le_jt.
  - rewrite !relu_id ?subr_ge0 //; try by ring.
    + exact: le_trans (le_trans le_jt le_tl) le_i.
    exact: le_trans le_tl le_i.
  rewrite !opprB !relu_0 ?mulr0 ?addr0 // subr_le0 //.
    exact: le_trans (le_trans le_jt le_tl) le_i.
  exact: le_trans le_tl le_i.
rewrite -(ler_pM2l w_gt0) -{1}(gtr0_norm w_gt0) -normrM mixed.
apply: le_trans (ler_normD _ _) _; rewrite !normrM (ger0_norm a_ge0).
rewrite (ger0_norm b_ge0); have -> : (z l - z j) * k
    = (z l - t) * k + (t - z j) * k by ring.
by apply: lerD; apply: ler_wpM2l.
Qed.

Lemma steepest s t : (0 < N)%N -> `|slope s t| <= k.
Proof.
move=> N_gt0.
have [j0 le_j0|no_lo] := pickP (fun j => z j <= t); last first.
  have [|j _ j_min] := @arg_minP _ _ _ (Ordinal N_gt0) xpredT z; first by [].
  have above i : t <= z i by rewrite ltW // ltNge no_lo.
  have least i : z j <= z i by apply: j_min.
  apply: (@slope_beyond s t j) => i; case: s; rewrite /sgn.
    by rewrite !relu_id ?subr_ge0 ?above ?least //; ring.
  by rewrite !opprB !relu_0 ?addr0 ?subr_le0 ?above ?least.
have [j le_j j_max] := @arg_maxP _ _ _ j0 (fun j => z j <= t) z le_j0.
have [l0 le_l0|no_hi] := pickP (fun j => t <= z j); last first.
  have below i : z i <= t by rewrite ltW // ltNge no_hi.
  have most i : z i <= z j by apply: j_max.
  apply: (@slope_beyond s t j) => i; case: s; rewrite /sgn.
    by rewrite !relu_0 ?addr0 ?subr_le0 ?most ?below.
  by rewrite !opprB !relu_id ?subr_ge0 ?most ?below //; ring.
have [l le_l l_min] := @arg_minP _ _ _ l0 (fun j => t <= z j) z le_l0.
apply: (slope_between s le_j le_l) => i.
have [le_i|/ltW le_i] := lerP (z i) t; first by left; apply: j_max.
by right; apply: l_min.
Qed.

End Steepest.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Notation points := (points R).
Local Notation qnet := (qnet R).
Local Arguments int_of_Z : simpl never.

Lemma ratio_labs q : ratio (labs q) = `|ratio q|.
Proof.
rewrite /labs; have := ratio_ge0 R q; case: (lneg q) => /= q0.
  by rewrite ratioN ltr0_norm // ltNge q0.
by rewrite ger0_norm.
Qed.

Lemma head_vec s : ratio (qhead s) = vec 1 s 0 0.
Proof. by rewrite mxE; case: s. Qed.

Lemma l1_1 (v : 'rV[R]_1) : l1 v = `|v 0 0|.
Proof. by rewrite /l1 big_ord1. Qed.

Section Net.

Variables (n N : nat) (us : seq (unit Q)) (c : seq Q) (zs ys : seq (seq Q)).
Let theta := qnet 1 1 n us c.
Let z := points 1 N zs.
Let y := points 1 N ys.
Let rs := errors us c (zip zs ys).

Lemma lpath_correct : fits 1 1 n us c -> ratio (lpath us) = pathnorm theta.
Proof.
case/and3P=> _ /eqP us_n _; rewrite /lpath /lfold ratio_sum /pathnorm.
rewrite (big_nth lunit0) us_n big_mkord; apply: eq_bigr => j _.
by rewrite ratioM !ratio_labs !head_vec /cost !l1_1.
Qed.

(* A net's outputs and the residuals, of which the sum is 0.                  *)
Lemma residuals_path (r : 'I_N -> R) (k : R) n' (theta' : net R 1 1 n') :
    \sum_i r i = 0 ->
    (forall s t, `|slope (fun i => z i 0 0) r s t| <= k) -> 0 <= k ->
  \sum_i r i * eval theta' (z i) 0 0 <= k * pathnorm theta'.
Proof.
move=> sum0 steep k_ge0.
have -> : \sum_i r i * eval theta' (z i) 0 0
    = \sum_j (\sum_i r i * act theta' j (z i)) * outw theta' j 0 0.
  under eq_bigr do rewrite /eval mxE mulrDr.
  rewrite big_split /= -[X in X + _ = _]mulr_suml sum0 mul0r add0r.
  under eq_bigr do rewrite summxE mulr_sumr.
  rewrite exchange_big; apply: eq_bigr => j _; rewrite mulr_suml.
  by apply: eq_bigr => i _; rewrite mxE mulrA.
rewrite /pathnorm mulr_sumr; apply: ler_sum => j _.
rewrite /cost !l1_1; apply: le_trans (ler_norm _) _.
rewrite normrM mulrC [k * _]mulrCA; apply: ler_wpM2l => //.
set w := inw theta' j 0 0; set b := bias theta' j.
have actE i : act theta' j (z i) = relu (w * z i 0 0 + b).
  by rewrite /act /dot big_ord1.
under eq_bigr do rewrite actE.
have scaled (s : bool) : sgn s w = `|w| -> w != 0 ->
    \sum_i r i * relu (w * z i 0 0 + b)
    = `|w| * slope (fun i => z i 0 0) r s (- b / w).
  move=> wE w0; rewrite /slope mulr_sumr; apply: eq_bigr => i _.
  rewrite mulrCA; congr (_ * _); rewrite -wE.
  have sw_ge0 : 0 <= sgn s w by rewrite wE.
  rewrite -relu_scale //; congr relu.
  case: (s); rewrite /sgn ?mulrNN mulrBr mulrCA divff // mulr1; by rewrite opprK.
have [w_gt0|w_lt0|w0] := ltrgtP 0 w.
- rewrite (scaled true) ?(gt_eqF w_gt0) //=; last by rewrite gtr0_norm.
  by rewrite normrM normr_id [k * _]mulrC; apply: ler_wpM2l.
- rewrite (scaled false) ?(lt_eqF w_lt0) //=; last by rewrite ltr0_norm.
  by rewrite normrM normr_id [k * _]mulrC; apply: ler_wpM2l.
under eq_bigr do rewrite -w0 mul0r add0r.
by rewrite -mulr_suml sum0 mul0r -w0 normr0 mulr0.
Qed.

Theorem C25_check_path most k : check_path n N us c zs ys most k ->
  pathnorm theta <= ratio most /\
  forall n' (theta' : net R 1 1 n'), pathnorm theta' <= ratio most ->
    loss z y theta <= loss z y theta'.
Proof.
case/and5P=> ok data le_most sum0 /andP[/all_nthP slopes products].
have [rs_1 rsE] := errors_correct R ok data.
have /and3P[/[dup] zs_d /andP[/eqP zs_N _] _ N_gt0] := data.
have rs_N : size rs = N by case/andP: rs_1 => /eqP.
pose r i := ratio (qhead (nth [::] rs i)).
have rE (i : 'I_N) : r i = y i 0 0 - eval theta (z i) 0 0.
  by rewrite /r head_vec rsE coordB.
have zipE : zip zs rs
    = map (fun i : 'I_N => (nth [::] zs i, nth [::] rs i)) (enum 'I_N).
  exact: zip_ord.
have sum_r : \sum_(i < N) r i = 0.
  move: sum0; rewrite -(ratioP R) ratio0 /lfold ratio_sum => /eqP total.
  by rewrite -[RHS]total (big_nth [::]) -/rs rs_N big_mkord.
have slopeE (s : bool) (j : 'I_N) :
    ratio (lslope zs rs s (qhead (nth [::] zs j)))
    = slope (fun i => z i 0 0) (fun i : 'I_N => r i) s (z j 0 0).
  rewrite /lslope zipE -map_comp /lfold ratio_sum big_enum.
  apply: eq_bigr => i _ /=; rewrite ratioM ratio_relu ratio_signed ratio_sub.
  by rewrite -/(r i) !(head_vec (nth [::] zs _)).
have at_inputs (s : bool) (j : 'I_N) :
    `|slope (fun i => z i 0 0) (fun i : 'I_N => r i) s (z j 0 0)| <= ratio k.
  have := slopes [::] j; rewrite zs_N => /(_ (ltn_ord j)) /andP[].
  rewrite -!(ratio_le R) !ratio_labs !slopeE.
  by case: s.
have steep := steepest sum_r at_inputs _ _ N_gt0.
have k_ge0 : 0 <= ratio k by apply: le_trans (normr_ge0 _) (steep true 0).
split; first by rewrite -lpath_correct // ratio_le.
move=> n' theta' le_path; rewrite /loss /mse ler_pM2l ?invr_gt0 ?ltr0n //.
have below : \sum_(i < N) r i * eval theta' (z i) 0 0
    <= \sum_(i < N) r i * eval theta (z i) 0 0.
  apply: le_trans (residuals_path _ sum_r steep k_ge0) _.
  apply: le_trans (ler_wpM2l k_ge0 le_path) _; rewrite le_eqVlt.
  apply/orP; left; apply/eqP; move: products; rewrite -(ratioP R) ratioM.
  move=> /eqP <-; rewrite zipE -map_comp /lfold ratio_sum big_enum.
  apply: eq_bigr => i _ /=; rewrite ratioM -/(r i) head_vec.
  by rewrite (vec_eval R ok (sized_nth zs_d i)).
rewrite -subr_ge0 -sumrB.
have cross : 0 <= \sum_(i < N) r i * (eval theta (z i) 0 0 - eval theta' (z i) 0 0).
  by under eq_bigr do rewrite mulrBr; rewrite sumrB subr_ge0.
apply: le_trans (_ : 0 <= (\sum_(i < N) r i * (eval theta (z i) 0 0
  - eval theta' (z i) 0 0)) *+ 2) _; first by rewrite mulrn_wge0.
rewrite -sumrMnl; apply: ler_sum => i _; rewrite !normsq1 !coordB rE.
move: (eval theta _ 0 0) (eval theta' _ 0 0) (y i 0 0) => f g t.
rewrite -subr_ge0; have -> : (g - t) ^+ 2 - (f - t) ^+ 2
    - ((t - f) * (f - g)) *+ 2 = (f - g) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

End Net.

End Correct.
