(******************************************************************************)
(* C27, beyond the main claim in three directions: circuits that are almost   *)
(* idle, other activations than ReLU, other architectures below and above.    *)
(*                                                                            *)
(*     C27_removal == without a circuit that is v in training but for eps in  *)
(*                    mean square, the loss is higher by at most              *)
(*                    t L + (1 + 1/t) eps, for every t > 0                    *)
(* C27_almost_idle == so at a minimiser c(X) (L - E) is at most that          *)
(*    like sigma k == |sigma t - relu t| <= k for all t                       *)
(*   C27_like_unit == C4 for such an activation                               *)
(* C27_like_no_idle, C27_like_no_removable == C8 for nets of such units       *)
(*       gated G k == G(-t) = 1 - G t, and 0 <= t (1 - G t) <= k for t >= 0   *)
(*       C27_gated == then t G(t) is like ReLU, within k                      *)
(*        C27_silu == SiLU, the logistic gate, within 1, for any e and ln     *)
(*                    with the three properties that C17 uses                 *)
(*    C27_softplus == softplus, within 1, likewise                            *)
(*  C27_last_layer == C8 for the last hidden layer of any architecture: feat  *)
(*                    is any function of parameters and input                 *)
(*       blind a br == the branch br of a residual block does not see a       *)
(*       C27_blind == so if it reads through a matrix that sends a to 0       *)
(*    stream brs h == h, and what each branch adds to the stream in turn      *)
(*        C27_skip == what is added along a arrives unchanged                 *)
(*    C27_residual == an idle circuit that writes into the stream can be      *)
(*                    reused along a, where a is read out                     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c4_separating_unit c5_exact_descent.
From absence Require Import c6_underparameterised c7_reassignment c8_main.
From absence Require Import c12_uniform_gap c13_rent c17_cross_entropy.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section AlmostIdle.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).

Lemma normsq_part k (r e : 'rV[R]_k) (t : R) : 0 < t ->
  normsq (r - e) <= (1 + t) * normsq r + (1 + t^-1) * normsq e.
Proof.
move=> t_gt0; rewrite /normsq !mulr_sumr -big_split /=; apply: ler_sum => i _.
rewrite coordB; move: (r 0 i : R) (e 0 i : R) => a b.
rewrite -subr_ge0 -(pmulr_rge0 _ t_gt0).
have -> : t * ((1 + t) * a ^+ 2 + (1 + t^-1) * b ^+ 2 - (a - b) ^+ 2)
  = (t * a + b) ^+ 2 by field; rewrite gt_eqF.
exact: sqr_ge0.
Qed.

(* Of any net: without a circuit that is v but for eps.                       *)
Theorem C27_removal (theta : net R d m n) J (v : 'rV[R]_m) (eps t : R) : 0 < t ->
  N%:R^-1 * (\sum_i normsq (circuit_out theta J (z i) - v)) <= eps ->
  loss z y (hardcode theta J v) - loss z y theta
  <= t * loss z y theta + (1 + t^-1) * eps.
Proof.
move=> t_gt0 small; rewrite lerBlDr.
have -> : t * loss z y theta + (1 + t^-1) * eps + loss z y theta
  = (1 + t) * loss z y theta + (1 + t^-1) * eps by ring.
have part_ge0 : 0 <= 1 + t^-1 by rewrite addr_ge0 ?ler01 ?invr_ge0 ?ltW.
apply: le_trans (lerD (lexx _) (ler_wpM2l part_ge0 small)).
rewrite /loss /mse !(mulrCA _ N%:R^-1) -mulrDr ler_wpM2l ?invr_ge0 ?ler0n //.
rewrite !mulr_sumr -big_split /=; apply: ler_sum => i _.
have -> : eval (hardcode theta J v) (z i) - y i
    = (eval theta (z i) - y i) - (circuit_out theta J (z i) - v).
  rewrite eval_hardcode (eval_circuit theta J).
  move: (circuit_out theta J _) (circuit_out theta (~: J) _) => a b.
  move: (shift theta) (y i) => c p; apply/rowP => k; rewrite !mxE.
  by move: (a 0 k) (b 0 k) (c 0 k) (p 0 k) (v 0 k) => {a b c p} a b c p q; ring.
exact: normsq_part.
Qed.

Theorem C27_almost_idle (theta : net R d m n) J (v : 'rV[R]_m) (eps t h D : R)
    (w : 'rV[R]_d) :
  minimiser z y theta -> gauge z w h D -> J != set0 -> 0 < t ->
  N%:R^-1 * (\sum_i normsq (circuit_out theta J (z i) - v)) <= eps ->
  gap N h D * (loss z y theta - floor z y)
  <= t * loss z y theta + (1 + t^-1) * eps.
Proof.
move=> min_theta gauge_w J_neq0 t_gt0 small.
apply: le_trans (C27_removal t_gt0 small).
apply: le_trans (C13_rent_gap v min_theta gauge_w J_neq0).
by rewrite ler_wpM2l ?gap_ge0 // lerD2r; apply: min_theta.
Qed.

End AlmostIdle.

Section Activations.

Variables (R : realFieldType) (sigma : R -> R) (kappa : R).

Definition like := forall t, `|sigma t - relu t| <= kappa.

Hypothesis near : like.

Lemma relu_scale (l t : R) : 0 <= l -> relu (l * t) = l * relu t.
Proof.
move=> l0; have [t0|/ltW t0] := lerP 0 t; first by rewrite !relu_id ?mulr_ge0.
by rewrite !relu_0 ?mulr0 ?mulr_ge0_le0.
Qed.

(* A large multiple of a unit sees what its ReLU sees, but for a constant.    *)
Lemma like_scaled N (p r : 'I_N -> R) : \sum_i relu (p i) * r i != 0 ->
  exists2 l, 0 <= l & \sum_i sigma (l * p i) * r i != 0.
Proof.
set s := \sum_i _ => s0; pose K := kappa * \sum_i `|r i|.
pose l := (`|K| + 1) / `|s|.
have s_gt0 : 0 < `|s| by rewrite normr_gt0.
have l_ge0 : 0 <= l by rewrite divr_ge0 ?addr_ge0 ?ler01.
exists l => //; apply/eqP => sum0.
have E : l * s = - \sum_i (sigma (l * p i) - relu (l * p i)) * r i.
  under eq_bigr do rewrite mulrBl; rewrite sumrB sum0 sub0r opprK /s mulr_sumr.
  by apply: eq_bigr => i _; rewrite relu_scale // mulrA.
have : `|l * s| <= K.
  rewrite E normrN; apply: le_trans (ler_norm_sum _ _ _) _; rewrite /K mulr_sumr.
  by apply: ler_sum => i _; rewrite normrM ler_wpM2r.
rewrite normrM (ger0_norm l_ge0) /l divfK ?gt_eqF // => /le_trans/(_ (ler_norm K)).
by rewrite gerDl leNgt ltr01.
Qed.

Variables (d m N : nat) (z : 'I_N -> 'rV[R]_d).

Theorem C27_like_unit (r : 'I_N -> 'rV[R]_m) :
  (exists i, gsum z r (z i) != 0) ->
  exists w b, \sum_i sigma (dot w (z i) + b) *: r i != 0.
Proof.
move=> /C4_separating_unit[w [b /eqP s_neq0]].
have /existsP[k s_k] : [exists k, (\sum_i relu (dot w (z i) + b) *: r i) 0 k != 0].
  apply/existsPn => s0; case: s_neq0; apply/rowP => k; rewrite [RHS]mxE.
  by apply/eqP; move: (s0 k); rewrite negbK.
have [|l l_ge0 seen] := @like_scaled N (fun i => dot w (z i) + b) (fun i => r i 0 k).
  by move: s_k; rewrite summxE; under eq_bigr do rewrite mxE.
exists (l *: w), (l * b); apply: contraNneq seen => /rowP/(_ k).
rewrite summxE [RHS]mxE => sum0; apply/eqP; rewrite -[RHS]sum0.
by apply: eq_bigr => i _; rewrite mxE dotZl mulrDr.
Qed.

Variables (y : 'I_N -> 'rV[R]_m) (n : nat).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Definition act_of theta j x := sigma (dot (inw theta j) x + bias theta j).

Definition eval_of theta x := shift theta + \sum_j act_of theta j x *: outw theta j.

Definition loss_of theta := mse z y (eval_of theta).

Definition minimiser_of theta := forall theta', loss_of theta <= loss_of theta'.

Definition idle_of theta J v :=
  forall i, \sum_(j in J) act_of theta j (z i) *: outw theta j = v.

Lemma eval_of_hardcode theta J v x : eval_of (hardcode theta J v) x
  = eval_of theta x - \sum_(j in J) act_of theta j x *: outw theta j + v.
Proof.
rewrite /eval_of /= (bigID (mem J)) /= big1 ?add0r => [|j ->]; last first.
  by rewrite scaler0.
rewrite [X in _ = _ + X - _ + _](bigID (mem J)) /= [X in _ = _ + X - _ + _]addrC.
rewrite [X in _ = X - _ + _]addrA addrK [RHS]addrAC; congr (_ + _).
by apply: eq_bigr => j /negbTE ->.
Qed.

Theorem C27_like_no_idle theta J v : floor z y < loss_of theta ->
  minimiser_of theta -> J != set0 -> ~ idle_of theta J v.
Proof.
move=> lt_E min_theta /set0Pn[j jJ] idle; pose hc := hardcode theta J v.
have same i : eval_of hc (z i) = eval_of theta (z i).
  by rewrite eval_of_hardcode idle subrK.
have same_loss : loss_of hc = loss_of theta.
  by congr (_ * _); apply: eq_bigr => i _; rewrite same.
have [i res_i] : exists i, gres z y (eval_of hc) (z i) != 0.
  case: (pickP (fun i => gres z y (eval_of hc) (z i) != 0)) => [i|res0].
    by exists i.
  move: lt_E; rewrite -same_loss /loss_of => /lt_eqF/eqP[].
  by apply/esym/C6_zero_iff => i; apply/eqP; move/negbFE: (res0 i).
have [|w [b s_neq0]] := @C27_like_unit (fun i => y i - eval_of hc (z i)).
  by exists i; rewrite -gmean_eq0 -gres_gmean.
pose phi i := sigma (dot w (z i) + b); pose r i := y i - eval_of hc (z i).
pose a := (\sum_i phi i ^+ 2)^-1 *: \sum_i phi i *: r i.
have N_gt0 : (0 < N)%N by apply: leq_ltn_trans (ltn_ord i).
have := min_theta (set_unit hc j w b a); rewrite leNgt => /negP[].
rewrite -same_loss /loss_of /mse ltr_pM2l ?invr_gt0 ?ltr0n //.
have moved x : eval_of (set_unit hc j w b a) x
    = eval_of hc x + sigma (dot w x + b) *: a.
  rewrite /eval_of (bigD1 j) //= [X in _ = _ + X + _](bigD1 j) //= jJ scaler0.
  rewrite add0r {1}/act_of /= inE eqxx [LHS]addrCA [LHS]addrC; congr (_ + _ + _).
  by apply: eq_bigr => k /negbTE kj; rewrite /act_of /= !inE kj.
have := C5_strict_descent s_neq0; rewrite -/a.
under eq_bigr => i' _ do rewrite -addrA -opprD normsqBC -moved.
by under [X in _ < X]eq_bigr => i' _ do rewrite normsqBC.
Qed.

Theorem C27_like_no_removable theta J v : floor z y < loss_of theta ->
  minimiser_of theta -> J != set0 -> loss_of theta < loss_of (hardcode theta J v).
Proof.
move=> lt_E min_theta J_neq0; rewrite lt_neqAle min_theta andbT.
apply/negP => /eqP same; apply: (@C27_like_no_idle (hardcode theta J v) J 0) => //.
- by rewrite -same.
- by move=> theta'; rewrite -same.
- by move=> i; apply: big1 => j /= ->; rewrite scaler0.
Qed.

End Activations.

Section Gates.

Variable R : realFieldType.

Definition gated (G : R -> R) (kappa : R) := (forall t, G (- t) = 1 - G t) /\
  forall t, 0 <= t -> 0 <= t * (1 - G t) <= kappa.

Theorem C27_gated G kappa : gated G kappa -> like (fun t => t * G t) kappa.
Proof.
move=> [sym tail] t; have [t_ge0|/ltW t_le0] := lerP 0 t.
  rewrite relu_id // distrC -{1}[t]mulr1 -mulrBr.
  by have /andP[ge0 le_k] := tail t t_ge0; rewrite ger0_norm.
rewrite relu_0 // subr0; have := tail (- t); rewrite oppr_ge0 t_le0 => /(_ isT).
by rewrite sym opprB addrC subrK mulNr => /andP[ge0 le_k]; rewrite -normrN ger0_norm.
Qed.

Variables (e ln : R -> R).
Hypothesis exp_ln : exponential e ln.

Let e_gt0 := e_gt0 exp_ln.

(* c = 1 is SiLU, c = 1.702 a common approximation of GELU.                   *)
Theorem C27_silu (c : R) : 0 < c ->
  like (fun t => t * (1 + e (- (c * t)))^-1) c^-1.
Proof.
move=> c_gt0.
have pos t : 0 < 1 + e t by rewrite addr_gt0 ?ltr01 ?e_gt0.
have other t : 1 - (1 + e (- t))^-1 = (1 + e t)^-1.
  have inv : e t * e (- t) = 1 by rewrite -(eD exp_ln) subrr (e0 exp_ln).
  have -> : 1 - (1 + e (- t))^-1 = e (- t) / (1 + e (- t)).
    by field; rewrite gt_eqF.
  apply/eqP; rewrite -[X in _ == X]mul1r eqr_div ?(lt0r_neq0 (pos _)) //.
  apply/eqP.
  by rewrite mul1r mulrDr mulr1 [e (- t) * _]mulrC inv addrC.
apply: (@C27_gated (fun t => (1 + e (- (c * t)))^-1)); split=> [t|t t_ge0].
  by rewrite other mulrN opprK.
rewrite other divr_ge0 ?(ltW (pos _)) //= ler_pdivrMr // mulrC ler_pdivlMr //.
rewrite [_ * c]mulrC; apply: (@le_trans _ _ (1 + c * t)).
  by rewrite lerDr ler01.
by apply: le_trans (e_ge exp_ln _) _; rewrite lerDr ler01.
Qed.

Theorem C27_softplus : like (fun t => ln (1 + e t)) 1.
Proof.
move=> t; pose u := ln (1 + e t) - relu t.
have pos : 0 < 1 + e t by rewrite addr_gt0 ?ltr01 ?e_gt0.
suff /andP[ge1 le2] : 1 <= e u <= 2%:R.
  have u_ge0 : 0 <= u by rewrite -(e_le exp_ln) (e0 exp_ln).
  rewrite -/u ger0_norm // -(e_le exp_ln); apply: le_trans le2 _.
  exact: (e_ge exp_ln 1).
have le1 s : s <= 0 -> e s <= 1.
  by move=> s_le0; rewrite -(e0 exp_ln) (e_le exp_ln).
rewrite /u (eD exp_ln) (ln_e exp_ln) //.
have [t_ge0|/ltW t_le0] := lerP 0 t.
  rewrite relu_id // mulrDl mul1r -(eD exp_ln) subrr (e0 exp_ln).
  by rewrite lerDr (ltW (e_gt0 _)) /= lerD2r le1 // oppr_le0.
rewrite relu_0 // oppr0 (e0 exp_ln) mulr1 lerDl (ltW (e_gt0 _)) /=.
by rewrite lerD2l le1.
Qed.

End Gates.

(* The last hidden layer of any architecture: feat p x are the values that it *)
(* reads, p all parameters below it. The noise floor is that of these values. *)
Theorem C27_last_layer (R : realFieldType) (X P : Type) (k m n N : nat)
    (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m) (feat : P -> X -> 'rV[R]_k)
    (p : P) (theta : net R k m n) :
  floor (feat p \o z) y < loss (feat p \o z) y theta ->
  (forall p' (theta' : net R k m n),
     loss (feat p \o z) y theta <= loss (feat p' \o z) y theta') ->
  forall J v, J != set0 ->
    loss (feat p \o z) y theta < loss (feat p \o z) y (hardcode theta J v).
Proof.
by move=> lt_E min_p J v; apply: C8_no_removable_at lt_E _ => theta'; apply: min_p.
Qed.

(* V is the stream at one position or, with matrices, at all of them.         *)
Section Residual.

Variables (R : realFieldType) (V : lmodType R).

Definition blind (a : V) (br : V -> V) := forall h t, br (h + t *: a) = br h.

Definition stream (brs : seq (V -> V)) (h : V) := foldl (fun h br => h + br h) h brs.

Fixpoint all_blind (a : V) (brs : seq (V -> V)) :=
  if brs is br :: rest then blind a br /\ all_blind a rest else True.

Theorem C27_skip a brs h t : all_blind a brs ->
  stream brs (h + t *: a) = stream brs h + t *: a.
Proof.
elim: brs h => //= br brs IH h [blind_a blind_rest].
by rewrite blind_a addrAC IH.
Qed.

Variables (X : Type) (k m N : nat) (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m).
Variables (feat : X -> 'rV[R]_k) (out : {linear V -> 'rV[R]_m}).
Variables (brs : seq (V -> V)) (c : 'rV[R]_m).

Definition answer (h : X -> V) x := c + out (stream brs (h x)).

Definition error (h : X -> V) : R := N%:R^-1 * \sum_i normsq (answer h (z i) - y i).

Theorem C27_residual (a v : V) (part rest : X -> V) :
  all_blind a brs -> (forall i, part (z i) = v) ->
  (exists i, gsum (feat \o z) (fun j =>
    dot (y j - answer (fun x => rest x + part x) (z j)) (out a) : R^o)
      (feat (z i)) != 0) ->
  exists w b t, error (fun x => rest x + v + (relu (dot w (feat x) + b) * t) *: a)
    < error (fun x => rest x + part x).
Proof.
move=> blind_a idle /(@C4_separating_unit _ _ _ _ (feat \o z)) [w [b seen]].
set u := out a; pose r i := y i - answer (fun x => rest x + v) (z i).
pose phi i := relu (dot w (feat (z i)) + b).
have same i : answer (fun x => rest x + part x) (z i) = answer (fun x => rest x + v) (z i).
  by rewrite /answer idle.
pose s : R := \sum_i phi i * dot (r i) u; pose q := \sum_i phi i ^+ 2.
have s_neq0 : s != 0.
  apply: contraNneq seen => s0; apply/eqP; rewrite -[RHS]s0.
  by apply: eq_bigr => i _; rewrite same.
have q_gt0 : 0 < q by apply: (sum_sqr_gt0 (r := (fun i => dot (r i) u) : 'I_N -> R^o)).
have u_gt0 : 0 < normsq u.
  rewrite normsq_gt0; apply: contraNneq s_neq0 => u0; apply/eqP/big1 => i _.
  by rewrite u0 dot0r mulr0.
have N_gt0 : (0 < N)%N.
  rewrite lt0n; apply: contraNneq s_neq0 => N0; apply/eqP/big1 => i.
  by have := ltn_ord i; rewrite {2}N0.
exists w, b, (s / (q * normsq u)); rewrite /error ltr_pM2l ?invr_gt0 ?ltr0n //.
set t := s / _; under [X in _ < X]eq_bigr => i _ do rewrite same normsqBC -/(r i).
have E i : normsq (answer (fun x => rest x + v
      + (relu (dot w (feat x) + b) * t) *: a) (z i) - y i)
    = normsq (r i) + (phi i ^+ 2 * (t ^+ 2 * normsq u)
      - t *+ 2 * (phi i * dot (r i) u)).
  rewrite /answer C27_skip // linearD linearZ /= -/u -/(phi i) normsqBC addrA.
  rewrite opprD addrA -/(r i) normsqB dotZr normsqZ.
  by move: (phi i) (dot _ _) => p e; ring.
rewrite (eq_bigr _ (fun i _ => E i)) big_split sumrB -mulr_suml -mulr_sumr.
rewrite -/q -/s gtrDl.
have -> : q * (t ^+ 2 * normsq u) - t *+ 2 * s = - (s ^+ 2 / (q * normsq u)).
  by rewrite /t; field; rewrite !gt_eqF.
rewrite oppr_lt0; apply: divr_gt0; last exact: mulr_gt0.
by rewrite lt_def sqrf_eq0 s_neq0 sqr_ge0.
Qed.

End Residual.

(* Positions in rows: a block that reads through a matrix W with A W = 0,     *)
(* attention included, is blind to A, in each or all of the positions.        *)
Theorem C27_blind (R : realFieldType) (p k l : nat) (W : 'M[R]_(k, l))
    (g : 'M[R]_(p, l) -> 'M[R]_(p, k)) (A : 'M[R]_(p, k)) :
  A *m W = 0 -> blind A (fun h => g (h *m W)).
Proof. by move=> AW0 h t; rewrite mulmxDl -scalemxAl AW0 scaler0 addr0. Qed.
