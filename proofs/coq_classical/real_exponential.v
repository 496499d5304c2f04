(******************************************************************************)
(* The real exponential and logarithm have the properties that C14 and C17    *)
(* take as premises. mathcomp-analysis builds them with three axioms, those   *)
(* of classical logic on which its real numbers rest; nothing else is assumed.*)
(*                                                                            *)
(*                C17_real == they are an exponential and a logarithm         *)
(*  C17_real_cross_entropy == C8 for the cross-entropy of the real softmax    *)
(*        C17_real_classes == P1 is no premise if a class is missing at some  *)
(*                            input                                           *)
(*      C14_real_posterior == the bound of C14, with the real exponential     *)
(*           C14_real_beta == every beta > ln (|D| / (delta |argmin L|)) / tau *)
(*                            leaves D a mass below delta                     *)
(*           C26_real_beta == every beta > (2 / tau) (K ln (8 B M / tau)      *)
(*                            - ln delta) leaves the nets with a train-idle   *)
(*                            circuit a mass below delta, on every fine grid  *)
(*            C26_real_box == the same with the Lambda of C26_lipschitz for M *)
(******************************************************************************)
From mathcomp Require Import boolp classical_sets functions.
From mathcomp Require Import reals.
From mathcomp.analysis Require Import topology normedtype sequences derive.
From mathcomp.analysis Require Import realfun exp.
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c14_posterior c17_other_losses.
From absence Require Import c17_cross_entropy c26_box c26_lipschitz.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory numFieldNormedType.Exports.
Local Open Scope ring_scope.

Section Real.

Variable R : realType.

(* For x < 0 by the mean value theorem: exp 0 - exp x is exp c times - x.     *)
Lemma expR_tangent (x : R) : 1 + x <= expR x.
Proof.
have [x_ge0|x_lt0] := leP 0 x; first exact: expR_ge1Dx.
have [c c_in slope] :
    exists2 c, c \in `]x, 0[%R & expR 0 - expR x = expR c * (0 - x).
  by apply: MVT => //; apply/continuous_subspaceT => ?; exact: continuous_expR.
move: c_in slope; rewrite in_itv /= => /andP[_ c_lt0].
rewrite expR0 sub0r => slope.
have c_le1 : expR c <= 1 by rewrite -expR0 ler_expR ltW.
have : expR c * (- x) <= 1 * (- x) by rewrite ler_wpM2r // oppr_ge0 ltW.
by rewrite -slope mul1r lerBlDr addrC -lerBlDr opprK.
Qed.

Theorem C17_real : exponential (@expR R) (@ln R).
Proof.
by split=> [||t t_gt0]; [exact: expRD|exact: expR_tangent|rewrite lnK].
Qed.

Section Classes.

Variables (d m N n : nat) (z : 'I_N -> 'rV[R]_d) (t : 'I_N -> 'rV[R]_m.+1).
Implicit Types theta : net R d m.+1 n.

Let entropy f := total_cross_entropy (@expR R) (@ln R) z t f.

Theorem C17_real_cross_entropy :
  (forall theta, exists n' (theta' : net R d m.+1 n'), (n < n')%N /\
     entropy (eval theta') < entropy (eval theta)) ->
  forall theta,
    (forall theta', entropy (eval theta) <= entropy (eval theta')) ->
  forall J : {set 'I_n}, J != finset.set0 -> ~ train_idle z theta J.
Proof. exact: (C17_cross_entropy C17_real). Qed.

Theorem C17_real_classes theta :
  (exists i k, forall j, z j = z i -> t j 0 k = 0) ->
  (forall theta', entropy (eval theta) <= entropy (eval theta')) ->
  forall J : {set 'I_n}, J != finset.set0 -> ~ train_idle z theta J.
Proof. exact: (C17_classes C17_real). Qed.

End Classes.

Section Posterior.

Variables (T : finType) (L : T -> R) (D : {set T}) (Lmin tau : R).
Hypothesis best_neq0 : best L Lmin != finset.set0.
Hypothesis D_worse : forall t, t \in D -> Lmin + tau <= L t.

Theorem C14_real_posterior beta : 0 <= beta ->
  posterior L (boltzmann (@expR R) beta) D
  <= #|D|%:R / #|best L Lmin|%:R * (expR (beta * tau))^-1.
Proof.
move=> beta_ge0.
exact: (C14_exponential (@expRD R) expR_tangent beta_ge0 best_neq0 D_worse).
Qed.

Theorem C14_real_beta beta delta : 0 <= beta -> 0 < tau -> 0 < delta ->
  ln (#|D|%:R / (delta * #|best L Lmin|%:R)) / tau < beta ->
  posterior L (boltzmann (@expR R) beta) D < delta.
Proof.
move=> beta_ge0 tau_gt0 delta_gt0 cold.
apply: (C14_below (@expRD R) expR_tangent beta_ge0 delta_gt0 best_neq0 D_worse).
move: cold; set q := #|D|%:R / _ => cold.
have [->|q_neq0] := eqVneq q 0; first exact: expR_gt0.
have q_gt0 : 0 < q.
  by rewrite lt_def q_neq0 divr_ge0 ?mulr_ge0 ?ler0n // ltW.
by rewrite -(lnK q_gt0) ltr_expR -ltr_pdivrMr.
Qed.

End Posterior.

Lemma expR_natl k (x : R) : expR (k%:R * x) = expR x ^+ k.
Proof.
elim: k => [|k IH]; first by rewrite mul0r expR0 expr0.
by rewrite mulrSr mulrDl mul1r expRD IH exprSr.
Qed.

Theorem C26_real_beta d m n N K G (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m)
    (net_of : ('I_K -> R) -> net R d m n) (B M l tau beta delta : R) a
    (D : {set {ffun 'I_K -> 'I_G.+1}}) :
  let L b := loss z y (net_of b) in
  (0 < G)%N -> 0 < B -> 0 < M -> 0 < tau -> 0 <= beta -> 0 < delta ->
  lipschitz B M L -> step G B <= tau / (4%:R * M) ->
  (forall p (theta : net R d m p), (p < n)%N -> l <= loss z y theta) ->
  in_box B a -> L a <= l - tau ->
  (forall t, t \in D -> exists2 J : {set 'I_n}, J != finset.set0
     & train_idle z (net_of (point B t)) J) ->
  2%:R / tau * (K%:R * ln (8%:R * B * M / tau) - ln delta) < beta ->
  posterior (L \o point B (G := G)) (boltzmann (@expR R) beta) D < delta.
Proof.
move=> L G_gt0 B_gt0 M_gt0 tau_gt0 beta_ge0 delta_gt0 lip fine narrow box_a best.
move=> idle cold; apply: le_lt_trans (C26_idle (@expRD R) expR_tangent G_gt0 B_gt0
  M_gt0 tau_gt0 beta_ge0 lip fine narrow box_a best idle) _.
set q := 8%:R * B * M / tau in cold *.
have q_gt0 : 0 < q by rewrite divr_gt0 ?mulr_gt0 ?ltr0n.
rewrite ltr_pdivrMr ?expR_gt0 // -[q](lnK q_gt0) -expR_natl.
rewrite -[delta](lnK delta_gt0) -expRD ltr_expR.
rewrite -[K%:R * ln q](subrK (ln delta)) [X in _ < X]addrC ltrD2r.
have half_gt0 : 0 < tau / 2%:R by rewrite divr_gt0 ?ltr0n.
rewrite -ltr_pdivrMr //; apply: le_lt_trans cold.
by rewrite mulrC invf_div.
Qed.

Theorem C26_real_box d m n N K G (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m)
    (p : 'I_n -> 'I_d -> 'I_K) (q : 'I_n -> 'I_K) (u : 'I_n -> 'I_m -> 'I_K)
    (v : 'I_m -> 'I_K) (B Z Y l tau beta delta : R) a
    (D : {set {ffun 'I_K -> 'I_G.+1}}) :
  let net_of := tied p q u v in let L b := loss z y (net_of b) in
  let Lambda := steepness d m n B Z Y in
  0 <= Z -> 0 <= Y ->
  (forall i k, `|z i 0 k| <= Z) -> (forall i k, `|y i 0 k| <= Y) ->
  (0 < G)%N -> 0 < B -> (0 < m)%N -> 0 < tau -> 0 <= beta -> 0 < delta ->
  step G B <= tau / (4%:R * Lambda) ->
  (forall h (theta : net R d m h), (h < n)%N -> l <= loss z y theta) ->
  in_box B a -> L a <= l - tau ->
  (forall t, t \in D -> exists2 J : {set 'I_n}, J != finset.set0
     & train_idle z (net_of (point B t)) J) ->
  2%:R / tau * (K%:R * ln (8%:R * B * Lambda / tau) - ln delta) < beta ->
  posterior (L \o point B (G := G)) (boltzmann (@expR R) beta) D < delta.
Proof.
move=> net_of L Lambda Z_ge0 Y_ge0 inputs targets G_gt0 B_gt0 m_gt0.
move=> tau_gt0 beta_ge0 delta_gt0.
have Lambda_gt0 := steepness_gt0 d n Z_ge0 Y_ge0 B_gt0 m_gt0.
have steep := C26_lipschitz (B := B) p q u v Z_ge0 Y_ge0 inputs targets.
move=> fine narrow box_a best idle; exact: (C26_real_beta G_gt0 B_gt0
  Lambda_gt0 tau_gt0 beta_ge0 delta_gt0 steep fine narrow box_a best idle).
Qed.

End Real.
