(******************************************************************************)
(* C12, the uniform gap: there is an explicit c(X) > 0, which depends on the  *)
(* training inputs alone, such that one more unit closes at least the part    *)
(* c(X) of the distance to the noise floor. (The outputs share the unit, so   *)
(* no division by m is needed.)                                               *)
(*                                                                            *)
(*    gauge z w h D == w is separating, 0 < h, distinct projections on w are  *)
(*                    at least h apart, and any two at most D                 *)
(*         gap N h D == c(X) = h^2 / (18 N^2 (D + h)^2)                       *)
(*       C12_gauge == every family of inputs has a gauge                      *)
(*    C12_gap_gt0 == 0 < c(X) if there is an example                          *)
(*       C12_gain == one more unit lowers L by c(X) (L - E) at least          *)
(*    C12_uniform_gap == L*(n+1) <= L*(n) - c(X) (L*(n) - E), for every bound *)
(* C12_reassignment == C7 with the amount: a train-idle circuit can be reused *)
(*                    to lower L by c(X) (L - E) at least                     *)
(* C12_not_eps_minimiser == a net of S_n with a train-idle circuit is at      *)
(*                    least c(X) (L*(n-1) - E) above some net of S_n          *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c2_irrelevance c3_freed_capacity.
From absence Require Import c4_separating_unit c5_exact_descent.
From absence Require Import c7_reassignment c10_detector_size.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Gap.

Variables (R : realFieldType) (d N : nat) (z : 'I_N -> 'rV[R]_d).

Definition gauge (w : 'rV[R]_d) (h D : R) :=
  [/\ separating z w, 0 < h,
      forall i j, dot w (z i) != dot w (z j) ->
        h <= `|dot w (z i) - dot w (z j)|
    & forall i j, `|dot w (z i) - dot w (z j)| <= D].

Definition gap (h D : R) : R :=
  h ^+ 2 / (18%:R * N%:R ^+ 2 * (D + h) ^+ 2).

Theorem C12_gauge : exists w h D, gauge w h D.
Proof.
have [t sep] := C4_direction z; pose w := moment d t.
pose p i := dot w (z i); pose q (ij : 'I_N * 'I_N) := p ij.1 - p ij.2.
have [|h h_gt0 h_le] :=
    @clearance R _ (fun ij => if q ij == 0 then 1 else q ij).
  by move=> ij; case: ifPn => // _; apply: oner_neq0.
exists w, h, (\sum_ij `|q ij|); split=> // i j.
  rewrite -subr_eq0 => /negbTE neq_ij.
  by have := h_le (i, j); rewrite /q /= /p neq_ij.
rewrite (bigD1 (i, j)) //= lerDl sumr_ge0 // => ij _; exact: normr_ge0.
Qed.

Variables (w : 'rV[R]_d) (h D : R).
Hypothesis gauge_w : gauge w h D.

Let p i := dot w (z i).

Lemma gap_ge0 : 0 <= gap h D.
Proof.
apply: divr_ge0; first exact: sqr_ge0.
by apply: mulr_ge0 (sqr_ge0 _); rewrite mulr_ge0 ?exprn_ge0 ?ler0n.
Qed.

Lemma spread_gt0 : (0 < N)%N -> 0 < D + h.
Proof.
have [_ h_gt0 _ D_ge] := gauge_w => N_gt0; pose i := Ordinal N_gt0.
by rewrite ltr_pwDr // (le_trans _ (D_ge i i)) // normr_ge0.
Qed.

Theorem C12_gap_gt0 : (0 < N)%N -> 0 < gap h D.
Proof.
have [_ h_gt0 _ _] := gauge_w => N_gt0.
by rewrite divr_gt0 ?exprn_gt0 // !mulr_gt0 ?exprn_gt0 ?spread_gt0 ?ltr0n.
Qed.

Lemma gap_lt1 : gap h D < 1.
Proof.
have [N0|N_neq0] := eqVneq N 0%N.
  by rewrite /gap N0 expr0n mulr0 mul0r invr0 mulr0 ltr01.
have N_gt0 : (0 < N)%N by rewrite lt0n.
have [_ h_gt0 _ D_ge] := gauge_w; pose i := Ordinal N_gt0.
have D_ge0 : 0 <= D by rewrite (le_trans _ (D_ge i i)).
rewrite ltr_pdivrMr ?mul1r; last first.
  by rewrite !mulr_gt0 ?exprn_gt0 ?spread_gt0 ?ltr0n.
rewrite (@le_lt_trans _ _ ((D + h) ^+ 2)) //.
  by rewrite ler_sqr ?nnegrE ?lerDr ?addr_ge0 ?(ltW h_gt0).
rewrite ltr_pMl ?exprn_gt0 ?spread_gt0 //.
by rewrite -natrX -natrM ltr1n (@leq_trans 18) // leq_pmulr // expn_gt0 N_gt0.
Qed.

Variables (m : nat) (y : 'I_N -> 'rV[R]_m).

Lemma normsq_bump (a b c : 'rV[R]_m) :
  normsq (a - b *+ 2 + c) <= 6%:R * (normsq a + normsq b + normsq c).
Proof.
rewrite /normsq -!big_split /= mulr_sumr; apply: ler_sum => k _.
rewrite !mxE -subr_ge0.
move: (a 0 k) (b 0 k) (c 0 k) => {a b c} a b c.
have -> : 6%:R * (a ^+ 2 + b ^+ 2 + c ^+ 2) - (a + - (b + b) + c) ^+ 2
  = (2%:R * a + b) ^+ 2 + (c - a) ^+ 2 + (2%:R * c + b) ^+ 2 by ring.
by rewrite !addr_ge0 ?sqr_ge0.
Qed.

Lemma one_of_three (x a b c : R) : x <= 6%:R * (a + b + c) ->
  [\/ x <= 18%:R * a, x <= 18%:R * b | x <= 18%:R * c].
Proof.
move=> x_le; have [|lt_a] := lerP x (18%:R * a); first by constructor 1.
have [|lt_b] := lerP x (18%:R * b); first by constructor 2.
constructor 3; rewrite leNgt; apply/negP => lt_c.
have := ltrD (ltrD lt_a lt_b) lt_c; apply/negP; rewrite -leNgt.
have -> : 18%:R * a + 18%:R * b + 18%:R * c = 3%:R * (6%:R * (a + b + c)).
  by ring.
have -> : x + x + x = 3%:R * x by ring.
by rewrite ler_pM2l ?ltr0n.
Qed.

Lemma above_mean (F : 'I_N -> R) : (0 < N)%N ->
  exists j, \sum_i F i <= N%:R * F j.
Proof.
move=> N_gt0; have [//|j _ j_max] := @arg_maxP _ _ _ (Ordinal N_gt0) xpredT F.
exists j; rewrite mulr_natl -[X in _ *+ X](card_ord N) -sumr_const.
by apply: ler_sum => i _; apply: j_max.
Qed.

Lemma bump_sum (V : lmodType R) (r : 'I_N -> V) j :
  \sum_i bump h (p i - p j) *: r i = h *: gsum z r (z j).
Proof.
have [sep h_gt0 h_le _] := gauge_w.
rewrite (bigID (fun i => z i == z j)) /= addrC big1 ?add0r => [|i neq_ij].
  rewrite /gsum scaler_sumr; apply: eq_bigr => i /eqP eq_ij.
  by rewrite /p eq_ij subrr (bump0 (ltW h_gt0)).
rewrite (bump_far (ltW h_gt0)) ?scale0r // h_le //.
by apply: contraNneq neq_ij => /sep ->.
Qed.

Theorem C12_gain n (theta : net R d m n) : exists b a,
  loss z y (add_unit theta w b a)
  <= loss z y theta - gap h D * (loss z y theta - floor z y).
Proof.
pose r i := y i - eval theta (z i); pose rb i := gres z y (eval theta) (z i).
have LE : loss z y theta - floor z y = N%:R^-1 * \sum_i normsq (rb i).
  by rewrite /loss mse_floor addrAC subrr add0r.
rewrite LE; set S := \sum_i _; have [S0|S_neq0] := eqVneq S 0.
  exists 0, 0; rewrite S0 !mulr0 subr0 le_eqVlt; apply/orP; left; apply/eqP.
  by congr (_ * _); apply: eq_bigr => i _; rewrite eval_add_unit scaler0 addr0.
have S_gt0 : 0 < S.
  by rewrite lt_def S_neq0 sumr_ge0 // => i _; apply: normsq_ge0.
have N_gt0 : (0 < N)%N.
  rewrite lt0n; apply: contraNneq S_neq0 => N0; apply/eqP/big1 => i.
  by have := ltn_ord i; rewrite {2}N0.
have NR_gt0 : 0 < N%:R :> R by rewrite ltr0n.
have [j S_le] := above_mean (fun i => normsq (rb i)) N_gt0.
have [sep h_gt0 h_le D_ge] := gauge_w.
pose phi e i := relu (p i + (e - p j)); pose s e := \sum_i phi e i *: r i.
have sE : s h - s 0 *+ 2 + s (- h) = (h * (nu z (z j))%:R) *: rb j.
  rewrite -scalerA gsum_gres -(bump_sum r j) /s -sumrMnl -sumrB -big_split /=.
  apply: eq_bigr => i _; rewrite scalerMnl -scalerBl -scalerDl /phi /bump.
  by rewrite add0r !addrA !(addrAC _ _ (- p j)).
have hrb : h ^+ 2 * normsq (rb j)
           <= 6%:R * (normsq (s h) + normsq (s 0) + normsq (s (- h))).
  apply: le_trans (normsq_bump _ _ _).
  rewrite sE normsqZ exprMn -(mulrA _ (_%:R ^+ 2)).
  rewrite ler_pM2l ?exprn_gt0 // ler_peMl ?normsq_ge0 //.
  by rewrite exprn_ege1 // ler1n nu_gt0.
have hrb_gt0 : 0 < h ^+ 2 * normsq (rb j).
  rewrite mulr_gt0 ?exprn_gt0 // -(pmulr_rgt0 _ NR_gt0).
  exact: lt_le_trans S_le.
have [e e_le s_ge] : exists2 e, `|e| <= h
    & h ^+ 2 * normsq (rb j) <= 18%:R * normsq (s e).
  case: (one_of_three hrb) => s_ge; [exists h | exists 0 | exists (- h)] => //.
  - by rewrite gtr0_norm.
  - by rewrite normr0 (ltW h_gt0).
  - by rewrite normrN gtr0_norm.
have s_neq0 : s e != 0.
  apply: contraTneq s_ge => ->; rewrite -ltNge (eqP (_ : normsq 0 == 0)).
    by rewrite mulr0.
  by rewrite normsq_eq0.
have phi_le i : phi e i <= D + h.
  rewrite /phi /relu ge_max (ltW (spread_gt0 N_gt0)) /= addrCA addrC.
  apply: lerD; first exact: le_trans (ler_norm _) (D_ge i j).
  exact: le_trans (ler_norm _) e_le.
pose q := \sum_i phi e i ^+ 2; have q_gt0 : 0 < q := sum_sqr_gt0 s_neq0.
have q_le : q <= N%:R * (D + h) ^+ 2.
  rewrite mulr_natl -[X in _ *+ X](card_ord N) -sumr_const.
  apply: ler_sum => i _.
  by rewrite ler_sqr ?nnegrE ?relu_ge0 ?phi_le // (ltW (spread_gt0 N_gt0)).
exists (e - p j), (q^-1 *: s e).
rewrite (C5_add_unit s_neq0) lerD2l lerN2 mulrCA ler_pM2l ?invr_gt0 //.
rewrite -/q -/(s e) /gap.
have DhN_gt0 : 0 < N%:R * (D + h) ^+ 2.
  by rewrite mulr_gt0 // exprn_gt0 // spread_gt0.
apply: (@le_trans _ _ (normsq (s e) / (N%:R * (D + h) ^+ 2))); last first.
  by rewrite ler_wpM2l ?normsq_ge0 // lef_pV2 ?posrE.
have -> : 18%:R * N%:R ^+ 2 * (D + h) ^+ 2
          = 18%:R * N%:R * (N%:R * (D + h) ^+ 2) :> R by ring.
rewrite invfM mulrA mulrAC ler_pM2r ?invr_gt0 //.
rewrite mulrAC ler_pdivrMr ?mulr_gt0 ?ltr0n //.
have h2_ge0 : 0 <= h ^+ 2 by rewrite sqr_ge0.
apply: le_trans (ler_wpM2l h2_ge0 S_le) _.
have N_ge0 : 0 <= N%:R :> R by rewrite ler0n.
have -> : normsq (s e) * (18%:R * N%:R) = N%:R * (18%:R * normsq (s e)) by ring.
by rewrite /= mulrCA (ler_wpM2l N_ge0 s_ge).
Qed.

(* For infima: L*(n+1) - E <= (1 - c(X)) (L*(n) - E).                         *)
Theorem C12_uniform_gap n (t : R) :
  (exists theta : net R d m n, loss z y theta < t) ->
  exists theta' : net R d m n.+1,
    loss z y theta' < t - gap h D * (t - floor z y).
Proof.
move=> [theta lt_t]; have [b [a le_a]] := C12_gain theta.
exists (add_unit theta w b a); apply: le_lt_trans le_a _.
have splitE x : x - gap h D * (x - floor z y)
                = (1 - gap h D) * x + gap h D * floor z y by ring.
by rewrite !splitE ltrD2r ltr_pM2l // subr_gt0 gap_lt1.
Qed.

Theorem C12_reassignment n (theta : net R d m n) J :
  J != set0 -> train_idle z theta J ->
  exists theta', off J theta theta' /\ loss z y theta'
    <= loss z y theta - gap h D * (loss z y theta - floor z y).
Proof.
move=> /set0Pn[j jJ] [v idleJ]; rewrite -(C2_same_mse idleJ).
have [b [a le_a]] := C12_gain (hardcode theta J v).
exists (set_unit (hardcode theta J v) j w b a); split; last first.
  by rewrite loss_set_unit //= jJ.
apply: off_trans (@off_hardcode _ _ _ _ _ _ v) _.
by apply: off_sub (@off_reassign _ _ _ _ _ _ _ _ _ _); rewrite sub1set.
Qed.

(* l is any lower bound of the losses on S_(n-1), such as L*(n-1).            *)
Theorem C12_not_eps_minimiser n (theta : net R d m n) J (l : R) :
  (forall theta1 : net R d m n.-1, l <= loss z y theta1) ->
  J != set0 -> train_idle z theta J ->
  exists theta' : net R d m n,
    loss z y theta' + gap h D * (l - floor z y) <= loss z y theta.
Proof.
move=> l_le J_neq0 idleJ.
have [theta' [_ le_theta']] := C12_reassignment J_neq0 idleJ.
exists theta'; rewrite -lerBrDr (le_trans le_theta') // lerD2l.
rewrite lerN2 ler_wpM2l ?gap_ge0 // lerD2r.
have [j jJ] := set0Pn _ J_neq0; have [v idle_v] := idleJ.
have := C3_smaller (hardcode theta J v) [set j] 0.
rewrite cards1 subn1 => -[theta1 same]; rewrite (le_trans (l_le theta1)) //.
rewrite -(C2_same_mse idle_v y) le_eqVlt; apply/orP; left; apply/eqP.
congr (_ * _); apply: eq_bigr => i _; rewrite same C2_same_outputs //.
by move=> i'; rewrite /circuit_out big_set1 /= jJ scaler0.
Qed.

End Gap.
