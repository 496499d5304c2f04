(******************************************************************************)
(* C27 (iii): C2 to C9, C12, C13, C17 and C21 at the last hidden layer of any *)
(* architecture; for channels whose weights are shared; for residual streams. *)
(*                                                                            *)
(* feat p x: the values that the layer reads at the input x, of any type; p:  *)
(* all parameters below it. The layer and the outputs are a net theta of S_n  *)
(* on these values, so that its training inputs are feat p (z i).             *)
(*                                                                            *)
(*   above z y p theta == L > E, with E taken over what the layer reads       *)
(*    best z y p theta == no other p and theta have a lower loss              *)
(*     C27_last_floor == E so taken is at least that of the inputs, and equal *)
(*                       where the layers below confuse no two of them        *)
(*   C27_last_outputs == C2: no training output changes; and no output at x   *)
(*                       unless J sends another value there                   *)
(*      C27_last_free == C3                                                   *)
(*      C27_last_unit == C4 to C6: one more unit lowers the loss iff L > E    *)
(*  C27_last_reassign == C7: an idle circuit can be reused to lower the loss  *)
(*      C27_last_gain == C12: by c(X) (L - E) at least                        *)
(*   C27_last_no_idle == C8: no best one has a train-idle circuit             *)
(* C27_last_full_rank == C9                                                   *)
(*      C27_last_rent == C13                                                  *)
(*  C27_last_gradient == C8 for losses with a gradient                        *)
(*     C27_last_price == C21: moving the answer at x by u costs               *)
(*                       |u|^2 / (N h); where J fires at x it is free         *)
(*                                                                            *)
(* pooled lam patch w b x == the sum of the unit (w, b) over the patches      *)
(*                       that a channel reads, with the weights lam           *)
(*   error z y f == the mean squared error of f                               *)
(*        C27_channel == an idle channel can be reused to lower the loss, if  *)
(*                       for some patch the residuals of the examples, by lam *)
(*                       and how often they have it, do not sum to 0          *)
(*   C27_channel_best == so no best model has one                             *)
(*    C27_stream_cut == C27_residual for a circuit with units in branches     *)
(*                       above too: if it is idle and hardcoded, the branches *)
(*                       that are left have to be blind                       *)
(* C27_stream_no_idle, C27_stream_no_removable == C8 for a circuit that       *)
(*                       writes into a residual stream: if no reuse of it     *)
(*                       along the blind direction a lowers the loss, it is   *)
(*                       not idle; and no constant in its place is free       *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c2_irrelevance c3_freed_capacity.
From absence Require Import c4_separating_unit c5_exact_descent.
From absence Require Import c6_underparameterised c7_reassignment c8_main.
From absence Require Import c9_full_rank c12_uniform_gap c13_rent.
From absence Require Import c17_other_losses c21_leverage c21_readout_price.
From absence Require Import c27_almost_idle.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Last.

Variables (R : realFieldType) (X P : Type) (k m n N : nat).
Variables (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m) (feat : P -> X -> 'rV[R]_k).
Implicit Types (p : P) (theta : net R k m n) (J : {set 'I_n}) (v u : 'rV[R]_m) (x : X).

Definition above p theta := floor (feat p \o z) y < loss (feat p \o z) y theta.

Definition best p theta := forall p' theta',
  loss (feat p \o z) y theta <= loss (feat p' \o z) y theta'.

Lemma best_minimiser p theta : best p theta -> minimiser (feat p \o z) y theta.
Proof. by move=> best_p theta'; apply: best_p. Qed.

Theorem C27_last_outputs p theta J v : idle_at (feat p \o z) theta J v ->
  (forall i, eval (hardcode theta J v) (feat p (z i)) = eval theta (feat p (z i))) /\
  forall x, eval theta (feat p x) != eval (hardcode theta J v) (feat p x) ->
    fires (feat p \o z) theta J (feat p x).
Proof.
move=> idle; split=> [i|x]; first exact: C2_same_outputs idle i.
by rewrite hardcode_differs; exists v.
Qed.

Theorem C27_last_free p theta J v w b x :
  eval (reassign (hardcode theta J v) J w b (fun=> 0) (shift theta + v)) (feat p x)
  = eval (hardcode theta J v) (feat p x).
Proof. exact: C3_free. Qed.

Theorem C27_last_unit p theta : above p theta <->
  exists w b a, loss (feat p \o z) y (add_unit theta w b a) < loss (feat p \o z) y theta.
Proof. exact: (C6_equivalents (feat p \o z) y theta 2%N 1%N). Qed.

Theorem C27_last_reassign p theta J : J != set0 -> train_idle (feat p \o z) theta J ->
  above p theta -> exists theta', off J theta theta' /\
    loss (feat p \o z) y theta' < loss (feat p \o z) y theta.
Proof. exact: C7_reassignment. Qed.

Theorem C27_last_gain p theta J w h D : gauge (feat p \o z) w h D ->
  J != set0 -> train_idle (feat p \o z) theta J ->
  exists theta', off J theta theta' /\ loss (feat p \o z) y theta'
    <= loss (feat p \o z) y theta
       - gap N h D * (loss (feat p \o z) y theta - floor (feat p \o z) y).
Proof. by move=> gauge_w; apply: C12_reassignment gauge_w _ _ _ _ _. Qed.

Theorem C27_last_no_idle p theta J : above p theta -> best p theta ->
  J != set0 -> ~ train_idle (feat p \o z) theta J.
Proof. by move=> lt_E /best_minimiser; apply: C8_no_idle_at. Qed.

Theorem C27_last_full_rank p theta : above p theta -> best p theta ->
  \rank (features (feat p \o z) theta) = n.+1.
Proof. by move=> lt_E /best_minimiser min_theta; apply: C9_full_rank. Qed.

Theorem C27_last_rent p theta J v w h D : best p theta ->
  gauge (feat p \o z) w h D -> J != set0 ->
  gap N h D * (loss (feat p \o z) y (hardcode theta J v) - floor (feat p \o z) y)
  <= loss (feat p \o z) y (hardcode theta J v) - loss (feat p \o z) y theta.
Proof. by move=> /best_minimiser min_theta; apply: C13_rent_gap. Qed.

Theorem C27_last_gradient p theta J (l : 'I_N -> 'rV[R]_m -> R) (g : 'I_N -> 'rV[R]_m) :
  has_gradient (feat p \o z) l g (eval theta) ->
  (exists i, gsum (feat p \o z) g (feat p (z i)) != 0) ->
  (forall p' theta', total (feat p \o z) l (eval theta)
     <= total (feat p' \o z) l (eval theta')) ->
  J != set0 -> ~ train_idle (feat p \o z) theta J.
Proof.
move=> grad g_neq0 best_p; apply: C17_no_idle grad g_neq0 _ => theta'.
exact: best_p.
Qed.

Theorem C27_last_price p theta x u : best p theta ->
  (forall h, leverage (feat p \o z) theta (feat p x) h ->
     exists theta', [/\ same_features theta theta',
       eval theta' (feat p x) = eval theta (feat p x) + u
     & loss (feat p \o z) y theta' - loss (feat p \o z) y theta
       = normsq u / (N%:R * h)]) /\
  (above p theta -> exists2 h, 0 < h & leverage (feat p \o z) theta (feat p x) h).
Proof.
move=> best_p; have min_theta := best_minimiser best_p; split=> [h lev|lt_E].
  by have [_] := C21_price u (fun theta' _ => min_theta theta') lev.
have [h [h_gt0 lev _]] := C21_minimiser (feat p x) u min_theta lt_E.
by exists h.
Qed.

Theorem C27_last_fires_free p theta J x u : fires (feat p \o z) theta J (feat p x) ->
  exists theta', [/\ same_features theta theta',
    forall i, eval theta' (feat p (z i)) = eval theta (feat p (z i))
  & eval theta' (feat p x) = eval theta (feat p x) + u].
Proof. by move=> /C21_idle/(C21_no_row_space y u). Qed.

End Last.

Section Floor.

Variables (R : realFieldType) (d k m N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m) (feat : 'rV[R]_d -> 'rV[R]_k).

Theorem C27_last_floor : floor z y <= floor (feat \o z) y /\
  ((forall i j, feat (z i) = feat (z j) -> z i = z j) ->
   floor (feat \o z) y = floor z y).
Proof.
split=> [|apart]; first exact: (net.floor_le z y (gmean (feat \o z) y \o feat)).
have same i j : (feat (z i) == feat (z j)) = (z i == z j).
  by apply/eqP/eqP => [/apart|->].
rewrite /floor /mse; congr (_ * _); apply: eq_bigr => i _.
rewrite /gmean /nu /gsum /=; congr (normsq (_ *: _ - _)).
  by congr (_%:R^-1); apply: eq_card => j; rewrite !inE /= same.
by apply: eq_bigl => j; rewrite /= same.
Qed.

End Floor.

(* Channels: one unit, read at several patches of the input.                  *)
Section Channel.

Variables (R : realFieldType) (X : Type) (Q : finType) (k m N : nat).
Variables (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m).
Variables (patch : Q -> X -> 'rV[R]_k) (lam : Q -> R).
Implicit Types (f rest part : X -> 'rV[R]_m) (v : 'rV[R]_m).

Definition error f : R := N%:R^-1 * \sum_i normsq (f (z i) - y i).

Definition pooled w b x : R := \sum_q lam q * relu (dot w (patch q x) + b).

(* What the residuals of f sum to over the patches that equal t.              *)
Definition patch_sum f t : 'rV[R]_m :=
  \sum_i \sum_(q | patch q (z i) == t) lam q *: (y i - f (z i)).

Lemma seen_patch f : (exists i q, patch_sum f (patch q (z i)) != 0) ->
  exists w b, \sum_i pooled w b (z i) *: (y i - f (z i)) != 0.
Proof.
move=> [i0 [q0 sum_neq0]].
pose M := #|{: 'I_N * Q}|; pose at_ (t : 'I_M) := enum_val t : 'I_N * Q.
pose zz t := patch (at_ t).2 (z (at_ t).1).
pose rr t := lam (at_ t).2 *: (y (at_ t).1 - f (z (at_ t).1)).
have over (F : 'I_N * Q -> 'rV[R]_m) (D : pred ('I_N * Q)) :
    \sum_(t : 'I_M | D (at_ t)) F (at_ t) = \sum_(iq | D iq) F iq.
  rewrite [RHS](reindex at_) //.
  by apply: onW_bij; exists enum_rank; [apply: enum_valK|apply: enum_rankK].
have [|w [b s_neq0]] := @C4_separating_unit _ _ _ _ zz rr.
  have at0 : at_ (enum_rank (i0, q0)) = (i0, q0) by apply: enum_rankK.
  exists (enum_rank (i0, q0)); apply: contraNneq sum_neq0 => sum0; apply/eqP.
  rewrite -[RHS]sum0 /gsum /patch_sum pair_big_dep /= /zz at0 /rr.
  exact/esym/(over (fun iq => lam iq.2 *: (y iq.1 - f (z iq.1)))
    (fun iq => patch iq.2 (z iq.1) == patch q0 (z i0))).
exists w, b; apply: contraNneq s_neq0 => s0; apply/eqP; rewrite -[RHS]s0.
rewrite (over (fun iq => relu (dot w (patch iq.2 (z iq.1)) + b)
  *: (lam iq.2 *: (y iq.1 - f (z iq.1)))) xpredT).
rewrite -(pair_bigA _ (fun i q => relu (dot w (patch q (z i)) + b)
  *: (lam q *: (y i - f (z i))))) /=.
apply: eq_bigr => i _; rewrite /pooled scaler_suml; apply: eq_bigr => q _.
by rewrite scalerA mulrC.
Qed.

Theorem C27_channel rest part v : (forall i, part (z i) = v) ->
  (exists i q, patch_sum (fun x => rest x + part x) (patch q (z i)) != 0) ->
  exists w b a, error (fun x => rest x + v + pooled w b x *: a)
    < error (fun x => rest x + part x).
Proof.
move=> idle seen; have [w [b s_neq0]] := seen_patch seen.
have N_gt0 : (0 < N)%N by case: seen => i _; apply: leq_ltn_trans (ltn_ord i).
have := C5_strict_descent s_neq0; set a := _ *: _ => lt_a.
exists w, b, a; rewrite /error ltr_pM2l ?invr_gt0 ?ltr0n //.
under [X in _ < X]eq_bigr => i _ do rewrite normsqBC.
apply: le_lt_trans lt_a; rewrite le_eqVlt; apply/orP; left; apply/eqP.
by apply: eq_bigr => i _; rewrite normsqBC opprD addrA idle.
Qed.

Theorem C27_channel_best rest part : (forall v w b a,
    error (fun x => rest x + part x) <= error (fun x => rest x + v + pooled w b x *: a)) ->
  (exists i q, patch_sum (fun x => rest x + part x) (patch q (z i)) != 0) ->
  ~ exists v, forall i, part (z i) = v.
Proof.
move=> best_part seen [v idle]; have [w [b [a]]] := C27_channel idle seen.
by rewrite ltNge best_part.
Qed.

End Channel.

Section Stream.

Variables (R : realFieldType) (V : lmodType R).
Variables (X : Type) (k m N : nat) (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m).
Variables (feat : X -> 'rV[R]_k) (out : {linear V -> 'rV[R]_m}).
Variables (brs : seq (V -> V)) (c : 'rV[R]_m) (a : V) (rest part : X -> V).
Implicit Types (h : X -> V) (v : V) (f : X -> 'rV[R]_m).

Local Notation answer := (answer out brs c).
Local Notation error := (c27_almost_idle.error z y out brs c).

(* The residuals of h, along what a is read out as, do not sum to 0 on some   *)
(* group of examples with equal values feat.                                  *)
Definition open_along h := exists i, gsum (feat \o z) (fun j =>
  dot (y j - answer h (z j)) (out a) : R^o) (feat (z i)) != 0.

Hypothesis blind_a : all_blind a brs.

(* The branches brs are those that are left of a net f once a circuit, of     *)
(* which units may lie in them, is hardcoded; h is then what enters them.     *)
Theorem C27_stream_cut f h : (forall i, answer h (z i) = f (z i)) -> open_along h ->
  exists w b t, error (fun x => h x + (relu (dot w (feat x) + b) * t) *: a)
    < N%:R^-1 * \sum_i normsq (f (z i) - y i).
Proof.
move=> same seen.
have [|w [b [t lt_t]]] := @C27_residual _ _ _ _ _ _ z y feat out brs c a 0 (fun=> 0) h
  blind_a (fun=> erefl).
  move: seen => [i seen]; exists i; apply: contraNneq seen => <-; apply/eqP.
  by apply: eq_bigr => j _; rewrite /answer addr0.
have errE g g' : (forall i, g (z i) = g' (z i)) -> error g = error g'.
  by move=> eq_g; congr (_ * _); apply: eq_bigr => i _; rewrite /answer eq_g.
exists w, b, t; have -> : (N%:R^-1 * \sum_i normsq (f (z i) - y i) : R) = error h.
  by congr (_ * _); apply: eq_bigr => i _; rewrite same.
rewrite (errE h (fun x => h x + 0)) => [|i]; last by rewrite addr0.
apply: le_lt_trans lt_t; rewrite le_eqVlt; apply/orP; left; apply/eqP/errE => i.
by rewrite addr0.
Qed.

Hypothesis best : forall v w b t, error (fun x => rest x + part x)
  <= error (fun x => rest x + v + (relu (dot w (feat x) + b) * t) *: a).

Theorem C27_stream_no_idle : open_along (fun x => rest x + part x) ->
  ~ exists v, forall i, part (z i) = v.
Proof.
move=> seen [v idle]; have [w [b [t]]] := C27_residual blind_a idle seen.
by rewrite ltNge best.
Qed.

Theorem C27_stream_no_removable v : open_along (fun x => rest x + v) ->
  error (fun x => rest x + part x) < error (fun x => rest x + v).
Proof.
move=> seen; have [w [b [t lt_t]]] :=
  @C27_residual _ _ _ _ _ _ z y feat out brs c a v (fun=> v) rest blind_a (fun=> erefl) seen.
exact: le_lt_trans (best v w b t) lt_t.
Qed.

End Stream.
