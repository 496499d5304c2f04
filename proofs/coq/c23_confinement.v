(******************************************************************************)
(* C23, confinement: where no unit of two nets changes sign on some inputs,   *)
(* the difference of the nets at an average of these inputs is the average of *)
(* their differences there. It does not matter what the units do in training. *)
(*                                                                            *)
(*       weights l == l is nonnegative and sums to 1                          *)
(*         mix l v == the average of the v_i with the weights l               *)
(*   crosses v w b == the unit (w, b) is below 0 at some v_i, above 0 at one  *)
(* one_sided v w b == it is below 0 at none, or above 0 at none               *)
(*    cell v theta == all units of theta are one-sided on the v_i             *)
(*  deep_cell net h == so are all units of all layers of a stack, on the h_i  *)
(*     C23_average == in a cell of theta, theta at an average of the v_i is   *)
(*                    the average of its values there                         *)
(* C23_confinement == in a cell of both, so is the difference of two nets     *)
(*       C23_price == its square is at most the average of the squares        *)
(*        C23_deep == C23_confinement for stacks of ReLU layers of any depth  *)
(*                    with an affine output                                   *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c16_depth.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Average.

Variables (R : realFieldType) (I : finType) (l : I -> R).

Definition weights := (forall i, 0 <= l i) /\ \sum_i l i = 1.

Definition mix (V : lmodType R) (v : I -> V) := \sum_i l i *: v i.

Hypothesis wl : weights.

Lemma mix_const (V : lmodType R) (c : V) : mix (fun=> c) = c.
Proof. by rewrite /mix -scaler_suml wl.2 scale1r. Qed.

Lemma mixD (V : lmodType R) (u v : I -> V) :
  mix (fun i => u i + v i) = mix u + mix v.
Proof. by rewrite /mix -big_split; apply: eq_bigr => i _; rewrite scalerDr. Qed.

Lemma mixB (V : lmodType R) (u v : I -> V) :
  mix (fun i => u i - v i) = mix u - mix v.
Proof. by rewrite /mix -sumrB; apply: eq_bigr => i _; rewrite scalerBr. Qed.

Lemma mix_ge0 (a : I -> R) : (forall i, 0 <= a i) -> 0 <= \sum_i l i * a i.
Proof. by move=> a_ge0; apply: sumr_ge0 => i _; rewrite mulr_ge0 ?wl.1. Qed.

(* A square is below the average of the squares.                              *)
Lemma mix_sqr (a : I -> R) :
  (\sum_i l i * a i) ^+ 2 <= \sum_i l i * a i ^+ 2.
Proof.
set c := \sum_i l i * a i; rewrite -subr_ge0.
suff -> : \sum_i l i * a i ^+ 2 - c ^+ 2 = \sum_i l i * (a i - c) ^+ 2.
  by apply: mix_ge0 => i; apply: sqr_ge0.
have -> : \sum_i l i * (a i - c) ^+ 2
  = \sum_i (l i * a i ^+ 2 + (l i * c ^+ 2 - (c *+ 2) * (l i * a i))).
  by apply: eq_bigr => i _; move: (l i) (a i) => x y; ring.
rewrite big_split sumrB -mulr_suml -mulr_sumr wl.2 -/c /=.
by congr (_ + _); ring.
Qed.

Lemma mix_normsq m (v : I -> 'rV[R]_m) :
  normsq (mix v) <= \sum_i l i * normsq (v i).
Proof.
rewrite /normsq; under [leRHS]eq_bigr do rewrite mulr_sumr.
rewrite exchange_big; apply: ler_sum => k _; apply: le_trans (mix_sqr _).
rewrite le_eqVlt; apply/orP; left; apply/eqP; congr (_ ^+ 2).
by rewrite /mix summxE; apply: eq_bigr => i _; rewrite mxE.
Qed.

End Average.

Section Cells.

Variables (R : realFieldType) (d : nat) (I : finType) (v : I -> 'rV[R]_d).

Definition crosses (w : 'rV[R]_d) (b : R) :=
  [exists i, exists j, (dot w (v i) + b < 0) && (0 < dot w (v j) + b)].

Definition one_sided (w : 'rV[R]_d) (b : R) :=
  (forall i, 0 <= dot w (v i) + b) \/ (forall i, dot w (v i) + b <= 0).

Lemma not_crosses w b : ~~ crosses w b -> one_sided w b.
Proof.
move=> no; have [/forallP below|] := boolP [forall i, dot w (v i) + b <= 0].
  by right.
rewrite negb_forall => /existsP[j]; rewrite -ltNge => j_gt0; left=> i.
rewrite leNgt; apply: contra no => i_lt0; apply/existsP; exists i.
by apply/existsP; exists j; rewrite i_lt0.
Qed.

Definition cell m n (theta : net R d m n) :=
  forall j, one_sided (inw theta j) (bias theta j).

Variable l : I -> R.
Hypothesis wl : weights l.

Lemma mix_dot w b : dot w (mix l v) + b = \sum_i l i * (dot w (v i) + b).
Proof.
under [RHS]eq_bigr do rewrite mulrDr.
rewrite big_split -mulr_suml wl.2 mul1r /mix dot_sumr; congr (_ + _).
by apply: eq_bigr => i _; rewrite dotZr.
Qed.

Lemma relu_mix (a : I -> R) :
  (forall i, 0 <= a i) \/ (forall i, a i <= 0) ->
  relu (\sum_i l i * a i) = \sum_i l i * relu (a i).
Proof.
case=> side.
  by rewrite relu_id ?mix_ge0 //; apply: eq_bigr => i _; rewrite relu_id.
rewrite relu_0; first by rewrite big1 // => i _; rewrite relu_0 ?mulr0.
rewrite -oppr_ge0 -sumrN; under eq_bigr do rewrite -mulrN.
by apply: mix_ge0 => // i; rewrite oppr_ge0.
Qed.

Theorem C23_average m n (theta : net R d m n) :
  cell theta -> eval theta (mix l v) = mix l (fun i => eval theta (v i)).
Proof.
move=> in_cell; rewrite /eval mixD mix_const //; congr (_ + _).
rewrite /mix; under [RHS]eq_bigr do rewrite scaler_sumr.
rewrite exchange_big; apply: eq_bigr => j _.
rewrite /act mix_dot (relu_mix (in_cell j)) scaler_suml.
by apply: eq_bigr => i _; rewrite scalerA.
Qed.

Theorem C23_confinement m n n' (f : net R d m n) (g : net R d m n') :
  cell f -> cell g ->
  eval f (mix l v) - eval g (mix l v)
  = mix l (fun i => eval f (v i) - eval g (v i)).
Proof. by move=> cf cg; rewrite !C23_average // mixB. Qed.

Theorem C23_price m n n' (f : net R d m n) (g : net R d m n') :
  cell f -> cell g ->
  normsq (eval f (mix l v) - eval g (mix l v))
  <= \sum_i l i * normsq (eval f (v i) - eval g (v i)).
Proof. by move=> cf cg; rewrite C23_confinement // mix_normsq. Qed.

End Cells.

Section Deep.

Variables (R : realFieldType) (I : finType) (l : I -> R).
Hypothesis wl : weights l.

(* No unit of any layer of the stack changes sign on the values h below it.   *)
Fixpoint deep_cell p k (net : deep R p k) : (I -> 'rV[R]_k) -> Prop :=
  match net in deep _ _ k return (I -> 'rV[R]_k) -> Prop with
  | Last => fun=> True
  | Layer _ _ W b rest => fun h =>
      (forall i, (forall e, 0 <= (h e *m W + b) 0 i)
                 \/ (forall e, (h e *m W + b) 0 i <= 0))
      /\ deep_cell rest (fun e => map_mx (@relu R) (h e *m W + b))
  end.

Lemma mix_affine k p (W : 'M[R]_(k, p)) b (h : I -> 'rV[R]_k) :
  mix l h *m W + b = mix l (fun e => h e *m W + b).
Proof.
rewrite mixD mix_const //; congr (_ + _); rewrite /mix mulmx_suml.
by apply: eq_bigr => e _; rewrite scalemxAl.
Qed.

Lemma run_mix p k (net : deep R p k) (h : I -> 'rV[R]_k) :
  deep_cell net h -> run net (mix l h) = mix l (fun e => run net (h e)).
Proof.
elim: net h => [//|{}k q W b rest IH] h /= [side /IH <-]; congr run.
rewrite mix_affine; apply/rowP=> i.
transitivity (relu (\sum_e l e * (h e *m W + b) 0 i)).
  rewrite mxE summxE; congr relu; apply: eq_bigr => e _; exact: mxE.
rewrite (relu_mix wl (side i)) summxE; apply: eq_bigr => e _.
by rewrite [RHS]mxE; congr (_ * _); rewrite [RHS]mxE.
Qed.

Theorem C23_deep d m p p' (f : deep R p d) (g : deep R p' d)
    (A : 'M[R]_(p, m)) (c : 'rV[R]_m) (B : 'M[R]_(p', m)) (e : 'rV[R]_m)
    (v : I -> 'rV[R]_d) :
  deep_cell f v -> deep_cell g v ->
  (run f (mix l v) *m A + c) - (run g (mix l v) *m B + e)
  = mix l (fun i => (run f (v i) *m A + c) - (run g (v i) *m B + e)).
Proof. by move=> cf cg; rewrite !run_mix // !mix_affine mixB. Qed.

End Deep.
