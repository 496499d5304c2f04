(******************************************************************************)
(* C25, norms: two statements without P1, on classes that a norm makes small. *)
(*                                                                            *)
(*          l1 v == sum_k |v_k|                                               *)
(*  pathnorm theta == sum_j |a_j|_1 |w_j|_1                                   *)
(* ball_min B theta == theta has the least loss of the nets of its size with  *)
(*                    path norm at most B, and is one of them                 *)
(*       C25_idle == above the noise floor, the units of a train-idle circuit *)
(*                    of such a net have a_j = 0 or w_j = 0                   *)
(* C25_no_detector == so it has no circuit that fires                         *)
(* C25_idle_stays == but it may have a train-idle one, for every n >= 2       *)
(*  squares theta == sum_j |w_j|^2 + |a_j|^2                                  *)
(* C25_lipschitz == the outputs at inputs at most D apart differ by at most   *)
(*                    D/2 times that, in every direction e                    *)
(* C25_confined == weight decay lam: whoever does at least as well as g       *)
(*                    differs from g within D of a training input by at most  *)
(*                    D (penalty of g + (L(g) - E) / (2 lam)) more than there *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c2_irrelevance c4_separating_unit.
From absence Require Import c5_exact_descent c6_underparameterised c7_reassignment.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section PathNorm.

Variables (R : realFieldType) (d m : nat).

Definition l1 k (v : 'rV[R]_k) : R := \sum_i `|v 0 i|.

Lemma l1_ge0 k (v : 'rV[R]_k) : 0 <= l1 v.
Proof. by apply: sumr_ge0. Qed.

Lemma l1Z k a (v : 'rV[R]_k) : l1 (a *: v) = `|a| * l1 v.
Proof.
by rewrite /l1 mulr_sumr; apply: eq_bigr => i _; rewrite mxE normrM.
Qed.

Lemma l1_eq0 k (v : 'rV[R]_k) : (l1 v == 0) = (v == 0).
Proof.
apply/idP/eqP => [|->]; last by rewrite /l1 big1 // => i _; rewrite mxE normr0.
rewrite psumr_eq0 // => /allP v0; apply/rowP=> i; rewrite mxE.
by apply/eqP; rewrite -normr_eq0; apply: v0; rewrite mem_index_enum.
Qed.

Definition cost n (theta : net R d m n) j : R :=
  l1 (outw theta j) * l1 (inw theta j).

Lemma cost_ge0 n (theta : net R d m n) j : 0 <= cost theta j.
Proof. by rewrite mulr_ge0 ?l1_ge0. Qed.

Definition pathnorm n (theta : net R d m n) : R := \sum_j cost theta j.

Variables (n N : nat) (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Definition ball_min (B : R) theta := pathnorm theta <= B /\
  forall theta', pathnorm theta' <= B -> loss z y theta <= loss z y theta'.

(* Part e of the step of C5, for every e.                                     *)
Lemma descent_part (r : 'I_N -> 'rV[R]_m) (phi : 'I_N -> R) (e : R) :
  let s := \sum_i phi i *: r i in let q := \sum_i phi i ^+ 2 in
  \sum_i normsq (r i - phi i *: (e *: s))
  = \sum_i normsq (r i) - e * (2%:R - e * q) * normsq s.
Proof.
move=> s q.
have E i : normsq (r i - phi i *: (e *: s))
    = normsq (r i)
      + (phi i ^+ 2 * (e ^+ 2 * normsq s) - 2%:R * e * dot s (phi i *: r i)).
  rewrite /normsq /dot !mulr_sumr -sumrB -big_split /=; apply: eq_bigr => k _.
  by rewrite !mxE; move: (r i 0 k : R) (s 0 k : R) (phi i) => a b c; ring.
rewrite (eq_bigr _ (fun i _ => E i)) big_split; congr (_ + _).
rewrite sumrB -mulr_suml -mulr_sumr -dot_sumr -/s -/q.
have -> : dot s s = normsq s by apply: eq_bigr => k _; rewrite expr2.
by ring.
Qed.

Theorem C25_idle (B : R) theta J : floor z y < loss z y theta ->
  ball_min B theta -> train_idle z theta J ->
  forall j, j \in J -> outw theta j = 0 \/ inw theta j = 0.
Proof.
move=> lt_E [le_B min_theta] [v idle].
have N_gt0 : (0 < N)%N.
  rewrite lt0n; apply/eqP => N0; move: lt_E.
  rewrite /loss mse_floor big1 ?mulr0 ?addr0 ?ltxx // => i.
  by have := ltn_ord i; rewrite {2}N0.
pose eta := \sum_(j in J) cost theta j; have [eta0 j jJ|] := eqVneq eta 0.
  have cost0 : cost theta j = 0.
    apply/eqP; rewrite eq_le cost_ge0 andbT -eta0 /eta (bigD1 j) //= lerDl.
    by apply: sumr_ge0 => k _; apply: cost_ge0.
  move/eqP: cost0; rewrite mulf_eq0 !l1_eq0.
  by case/orP => /eqP; [left | right].
move=> eta_neq0; have eta_gt0 : 0 < eta.
  by rewrite lt_def eta_neq0 sumr_ge0 // => j _; apply: cost_ge0.
have [J0|[j jJ]] := set_0Vmem J.
  by move: eta_gt0; rewrite /eta J0 big_set0 ltxx.
pose hc := hardcode theta J v.
have lt_hc : floor z y < loss z y hc by rewrite (C2_same_mse idle).
have /(C6_equivalents z y hc 2%N 3%N) [i res_i] := lt_hc.
have [|w [b s_neq0]] :=
    @C4_separating_unit _ _ _ _ z (fun i => y i - eval hc (z i)).
  by exists i; rewrite -gmean_eq0 -gres_gmean.
pose phi i := relu (dot w (z i) + b); pose r i := y i - eval hc (z i).
pose s := \sum_i phi i *: r i; pose q := \sum_i phi i ^+ 2.
have q_gt0 : 0 < q := sum_sqr_gt0 s_neq0.
pose K := l1 s * l1 w + 1.
have K_gt0 : 0 < K by rewrite ltr_wpDl ?mulr_ge0 ?l1_ge0 ?ltr01.
pose e := Num.min q^-1 (eta / K).
have e_gt0 : 0 < e by rewrite lt_min invr_gt0 q_gt0 divr_gt0.
have aj0 : outw hc j = 0 by rewrite /= jJ.
have in_ball : pathnorm (set_unit hc j w b (e *: s)) <= B.
  apply: le_trans le_B; rewrite /pathnorm [leRHS](bigID (mem J)).
  rewrite [leLHS](bigID (mem J)) /=; apply: lerD; last first.
    apply: ler_sum => k kJ; rewrite /cost /= (negbTE kJ) inE.
    rewrite (_ : (k == j) = false) //.
    by apply/eqP => kj; rewrite kj jJ in kJ.
  rewrite (bigD1 j) //= big1 ?addr0 => [|k /andP[kJ kj]]; last first.
    rewrite /cost /= inE (negbTE kj) kJ (_ : l1 0 = 0) ?mul0r //.
    by apply/eqP; rewrite l1_eq0.
  rewrite {1}/cost /= inE eqxx l1Z (gtr0_norm e_gt0) -mulrA.
  apply: (@le_trans _ _ (e * K)).
    by rewrite ler_wpM2l ?(ltW e_gt0) // lerDl ler01.
  by rewrite -ler_pdivlMr // ge_min lexx orbT.
have := min_theta _ in_ball; rewrite -(C2_same_mse idle) loss_set_unit //.
rewrite leNgt => /negP[]; rewrite /loss /mse ltr_pM2l ?invr_gt0 ?ltr0n //.
have -> : \sum_i normsq (eval (add_unit hc w b (e *: s)) (z i) - y i)
  = \sum_i normsq (r i - phi i *: (e *: s)).
  apply: eq_bigr => i' _.
  by rewrite eval_add_unit normsqBC opprD addrA.
rewrite descent_part -/s -/q.
have -> : \sum_i normsq (eval hc (z i) - y i) = \sum_i normsq (r i).
  by apply: eq_bigr => i' _; rewrite normsqBC.
rewrite gtrDl oppr_lt0 !mulr_gt0 ?normsq_gt0 // subr_gt0.
apply: (@le_lt_trans _ _ 1); last by rewrite ltr1n.
by rewrite -ler_pdivlMr // mul1r ge_min lexx.
Qed.

Theorem C25_no_detector (B : R) theta J x : floor z y < loss z y theta ->
  ball_min B theta -> ~ fires z theta J x.
Proof.
move=> lt_E min_theta [v idle]; have [i lt_N] : exists i : 'I_N, true.
  case: (pickP (fun _ : 'I_N => true)) => [i _|none]; first by exists i.
  move: lt_E; rewrite /loss mse_floor big1 ?mulr0 ?addr0 ?ltxx // => i.
  by have := none i.
have still := C25_idle lt_E min_theta (ex_intro _ v idle).
rewrite -(idle i) => /eqP[]; apply: eq_bigr => j jJ.
have [->|w0] := still j jJ; first by rewrite !scaler0.
by rewrite /act w0 !dot0l.
Qed.

End PathNorm.

(* The data 0, 1 with targets 0, 1, and a path norm B < 1: too steep a fit.   *)
(* One unit spends all of B, and the others are idle.                         *)
Section IdleStays.

Variables (R : realFieldType) (n : nat) (B : R).
Hypotheses (B_ge0 : 0 <= B) (B_lt1 : B < 1).

Definition zero_one (i : 'I_2) : 'rV[R]_1 := const_mx (i : nat)%:R.

Definition spent : net R 1 1 n.+2 :=
  Net (fun j => const_mx (j == ord0)%:R) (fun=> 0)
      (fun j => const_mx (B *+ (j == ord0))) (const_mx ((1 - B) / 2%:R)).

Lemma relu_lip (s t : R) : `|relu s - relu t| <= `|s - t|.
Proof.
rewrite /relu; have [s0|s0] := lerP s 0; have [t0|t0] := lerP t 0.
- by rewrite subrr normr0.
- by rewrite sub0r normrN gtr0_norm // distrC ger0_norm
    ?subr_ge0 ?(le_trans s0 (ltW t0)) // lerDl oppr_ge0.
- by rewrite subr0 gtr0_norm // ger0_norm
    ?subr_ge0 ?(le_trans t0 (ltW s0)) // lerDl oppr_ge0.
- by [].
Qed.

Lemma dot1 (u v : 'rV[R]_1) : dot u v = u 0 0 * v 0 0.
Proof. by rewrite /dot big_ord1. Qed.

Lemma rise k (theta : net R 1 1 k) :
  eval theta (zero_one 1) 0 0 - eval theta (zero_one 0) 0 0 <= pathnorm theta.
Proof.
rewrite /eval !mxE opprD addrACA subrr add0r !summxE -sumrB.
apply: ler_sum => j _; rewrite !mxE -mulrBl; apply: le_trans (ler_norm _) _.
rewrite normrM mulrC /cost /l1 !big_ord1 ler_wpM2l //.
apply: le_trans (relu_lip _ _) _; rewrite !dot1 !mxE.
by rewrite mulr0 add0r addrK mulr1.
Qed.

Lemma mse2 (f : 'rV[R]_1 -> 'rV[R]_1) : mse zero_one zero_one f
  = 2%:R^-1 * (f (zero_one 0) 0 0 ^+ 2 + (f (zero_one 1) 0 0 - 1) ^+ 2).
Proof.
rewrite /mse big_ord_recl big_ord1 /normsq !big_ord1 !mxE subr0.
by congr (_ * (_ + (f _ 0 0 - _) ^+ 2)); congr (zero_one _); apply: val_inj.
Qed.

Lemma act_spent j x : act spent j x = if j == ord0 then relu (x 0 0) else 0.
Proof.
rewrite /act dot1 mxE addr0; case: ifP => _; first by rewrite mul1r.
by rewrite mul0r relu_id.
Qed.

Lemma eval_spent x : eval spent x 0 0 = (1 - B) / 2%:R + relu (x 0 0) * B.
Proof.
rewrite !mxE summxE (bigD1 ord0) //= big1 ?addr0 => [|j /negbTE j0].
  by rewrite mxE act_spent eqxx mxE mulr1n.
by rewrite mxE act_spent j0 mul0r.
Qed.

Theorem C25_idle_stays : exists theta : net R 1 1 n.+2,
  [/\ floor zero_one zero_one < loss zero_one zero_one theta,
      ball_min zero_one zero_one B theta
    & exists2 J, J != set0 & train_idle zero_one theta J].
Proof.
have lossE : loss zero_one zero_one spent = (1 - B) ^+ 2 / 4%:R.
  rewrite /loss mse2 !eval_spent !mxE /= (@relu_0 _ 0) // (@relu_id _ 1) ?ler01 //.
  by field.
exists spent; split.
- apply: le_lt_trans (net.floor_le zero_one zero_one id) _.
  by rewrite lossE mse2 !mxE subrr expr0n addr0 mulr0 divr_gt0 ?exprn_gt0
    ?subr_gt0 ?ltr0n.
- split=> [|theta le_B].
    rewrite /pathnorm (bigD1 ord0) //= big1 ?addr0 => [|j /negbTE j0].
      by rewrite /cost /l1 !big_ord1 !mxE eqxx mulr1n normr1 mulr1 ger0_norm.
    by rewrite /cost /l1 !big_ord1 !mxE j0 normr0 mul0r.
  rewrite lossE /loss mse2; have := le_trans (rise theta) le_B.
  move: (eval theta (zero_one 1) 0 0) (eval theta (zero_one 0) 0 0) => b a le_b.
  rewrite -subr_ge0; have -> : 2%:R^-1 * (a ^+ 2 + (b - 1) ^+ 2)
      - (1 - B) ^+ 2 / 4%:R
    = ((a + b - 1) ^+ 2 + (B - (b - a)) * ((1 - B) *+ 2 + (B - (b - a)))) / 4%:R.
    by field.
  rewrite divr_ge0 ?ler0n // addr_ge0 ?sqr_ge0 // mulr_ge0 ?subr_ge0 //.
  by rewrite addr_ge0 ?mulrn_wge0 ?subr_ge0 // ltW.
exists [set lift ord0 ord0]; first by apply/set0Pn; exists (lift ord0 ord0); rewrite inE.
by exists 0 => i; rewrite /circuit_out big_set1 act_spent scale0r.
Qed.

End IdleStays.

Section Decay.

Variables (R : realFieldType) (d m : nat).

Definition squares n (theta : net R d m n) : R :=
  \sum_j (normsq (inw theta j) + normsq (outw theta j)).

Lemma half_square (a p D w2 : R) : 0 <= D -> 0 <= w2 ->
  p ^+ 2 <= w2 * D ^+ 2 -> `|a| * `|p| <= D / 2%:R * (w2 + a ^+ 2).
Proof.
move=> D_ge0 w2_ge0; have [->|D_neq0] := eqVneq D 0.
  rewrite expr0n mulr0 => p_le; have : p ^+ 2 == 0 by rewrite eq_le p_le sqr_ge0.
  by rewrite sqrf_eq0 => /eqP->; rewrite normr0 mulr0 mul0r mul0r.
move=> p_le; have D_gt0 : 0 < D by rewrite lt_def D_neq0.
have two_gt0 : 0 < 2%:R :> R by rewrite ltr0n.
rewrite -(ler_pM2l D_gt0) -(ler_pM2l two_gt0).
have -> : 2%:R * (D * (D / 2%:R * (w2 + a ^+ 2))) = w2 * D ^+ 2 + D ^+ 2 * a ^+ 2.
  by field.
apply: le_trans (lerD p_le (lexx _)); rewrite -subr_ge0.
rewrite -(real_normK (num_real p)) -(real_normK (num_real a)).
have -> : `|p| ^+ 2 + D ^+ 2 * `|a| ^+ 2 - 2%:R * (D * (`|a| * `|p|))
  = (D * `|a| - `|p|) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

Theorem C25_lipschitz n (theta : net R d m n) x x' (D : R) (e : 'rV[R]_m) :
  normsq e <= 1 -> 0 <= D -> normsq (x - x') <= D ^+ 2 ->
  `|dot e (eval theta x - eval theta x')| <= D / 2%:R * squares theta.
Proof.
move=> e_le1 D_ge0 near; rewrite /eval opprD addrACA subrr add0r -sumrB.
rewrite dot_sumr mulr_sumr; apply: le_trans (ler_norm_sum _ _ _) _.
apply: ler_sum => j _; rewrite -scalerBl dotZr normrM mulrC.
apply: (@le_trans _ _ (`|dot e (outw theta j)| * `|dot (inw theta j) (x - x')|)).
  rewrite ler_wpM2l // /act; apply: le_trans (relu_lip _ _) _.
  by rewrite opprD addrACA subrr addr0 dotBr.
apply: le_trans (half_square _ D_ge0 (normsq_ge0 (inw theta j)) _) _.
  by apply: le_trans (cauchy _ _) _; rewrite ler_wpM2l ?normsq_ge0.
rewrite ler_wpM2l ?divr_ge0 ?ler0n // lerD2l.
apply: le_trans (cauchy _ _) _.
by rewrite -[leRHS]mul1r ler_wpM2r ?normsq_ge0.
Qed.

Variables (N : nat) (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).

(* pf and pg are what weight decay counts: the squares at least, the biases   *)
(* or not.                                                                    *)
Theorem C25_confined n n' (f : net R d m n) (g : net R d m n')
    (lam pf pg : R) i x (D : R) (e : 'rV[R]_m) :
  0 < lam -> squares f <= pf -> squares g <= pg ->
  loss z y f + lam * pf <= loss z y g + lam * pg ->
  normsq e <= 1 -> 0 <= D -> normsq (x - z i) <= D ^+ 2 ->
  `|dot e (eval f x - eval g x)| <= `|dot e (eval f (z i) - eval g (z i))|
    + D * (pg + (loss z y g - floor z y) / (2%:R * lam)).
Proof.
move=> lam_gt0 f_le g_le better e_le1 D_ge0 near.
have pf_le : pf <= pg + (loss z y g - floor z y) / lam.
  rewrite -lerBlDl ler_pdivlMr // mulrBl lerBlDr ![_ * lam]mulrC.
  rewrite -(lerD2l (loss z y f)); apply: le_trans better _.
  rewrite -subr_ge0; set A := loss z y g; set P := lam * pg.
  have -> : loss z y f + (A - floor z y + P) - (A + P) = loss z y f - floor z y.
    by ring.
  by rewrite subr_ge0 net.floor_le.
have -> : eval f x - eval g x = (eval f (z i) - eval g (z i))
    + ((eval f x - eval f (z i)) - (eval g x - eval g (z i))).
  move: (eval f x) (eval g x) (eval f (z i)) (eval g (z i)) => fx gx fi gi.
  apply/rowP=> k; rewrite !mxE.
  by move: (fx 0 k) (gx 0 k) (fi 0 k) (gi 0 k) => {fx gx fi gi} a b c p; ring.
rewrite dotDr; apply: le_trans (ler_normD _ _) _; rewrite lerD2l dotBr.
apply: le_trans (ler_normB _ _) _.
apply: le_trans (lerD (C25_lipschitz f e_le1 D_ge0 near)
                      (C25_lipschitz g e_le1 D_ge0 near)) _.
rewrite -mulrDr -mulrA; apply: ler_wpM2l => //.
have two_gt0 : 0 < 2%:R :> R by rewrite ltr0n.
rewrite -(ler_pM2l two_gt0) mulVKf ?pnatr_eq0 //.
apply: le_trans (lerD (le_trans f_le pf_le) g_le) _.
rewrite le_eqVlt; apply/orP; left; apply/eqP; field.
by rewrite gt_eqF //= pnatr_eq0.
Qed.

End Decay.
