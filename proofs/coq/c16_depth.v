(******************************************************************************)
(* C16, depth: relu(relu t) = relu t, so one freed unit per layer carries a   *)
(* unit of layer l to the output unchanged, and the descent of C5 works from  *)
(* any layer.                                                                 *)
(*                                                                            *)
(*       deep R k p == the stacks of ReLU layers from width k to width p      *)
(*     run net h == the values at the last layer on the values h at the first *)
(* lane net j j' == each layer has a unit with input weight 1 from the unit   *)
(*                    of the lane below, 0 from all others, and bias 0; the   *)
(*                    lane goes from unit j to unit j'                        *)
(*     C16_relu_relu == relu is idempotent                                    *)
(*          C16_lane == a lane carries a nonnegative value unchanged          *)
(*       C16_descent == feat: the values at layer l; if the residuals do not  *)
(*                    sum to 0 on some group of examples with equal feat, one *)
(*                    unit on layer l and a lane from it lower the loss       *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c4_separating_unit c5_exact_descent.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Inductive deep (R : realFieldType) (p : nat) : nat -> Type :=
| Last : deep R p p
| Layer k l of 'M[R]_(k, l) & 'rV[R]_l & deep R p l : deep R p k.

Section Depth.

Variable R : realFieldType.

Theorem C16_relu_relu (t : R) : relu (relu t) = relu t.
Proof. by rewrite relu_id ?relu_ge0. Qed.

Fixpoint run p k (net : deep R p k) : 'rV[R]_k -> 'rV[R]_p :=
  match net in deep _ _ k return 'rV[R]_k -> 'rV[R]_p with
  | Last => id
  | Layer _ _ W b rest => fun h => run rest (map_mx (@relu R) (h *m W + b))
  end.

Fixpoint lane p k (net : deep R p k) : 'I_k -> 'I_p -> Prop :=
  match net in deep _ _ k return 'I_k -> 'I_p -> Prop with
  | Last => fun j j' => j = j'
  | Layer k l W b rest => fun j j' => exists i : 'I_l,
      [/\ forall j1, W j1 i = (j1 == j)%:R, b 0 i = 0 & lane rest i j']
  end.

Theorem C16_lane p k (net : deep R p k) j j' (h : 'rV[R]_k) :
  lane net j j' -> 0 <= h 0 j -> run net h 0 j' = h 0 j.
Proof.
elim: net => [|{}k l W b rest IH] /= in j j' h *; first by move=> ->.
move=> [i [Wi bi lane_i]] h_ge0.
suff hi : (map_mx (@relu R) (h *m W + b)) 0 i = h 0 j.
  by rewrite (IH i) ?hi.
rewrite mxE mxE bi addr0 mxE (bigD1 j) //= Wi eqxx mulr1 big1 ?addr0.
  by rewrite relu_id.
by move=> j1 /negbTE j1j; rewrite Wi j1j mulr0.
Qed.

(* phi (feat x): the values at layer l, with the unit (w, b) at the foot of   *)
(* the lane; what the other freed units do there is arbitrary.                *)
Theorem C16_descent d m N (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m)
    (f : 'rV[R]_d -> 'rV[R]_m) k (feat : 'rV[R]_d -> 'rV[R]_k) :
  (exists i, gsum (feat \o z) (fun j => y j - f (z j)) (feat (z i)) != 0) ->
  exists w b a, forall p q (net : deep R q p) j j' (phi : 'rV[R]_d -> 'rV[R]_p),
    lane net j j' -> (forall x, phi x 0 j = relu (dot w (feat x) + b)) ->
    mse z y (fun x => f x + run net (phi x) 0 j' *: a) < mse z y f.
Proof.
move=> /(@C4_separating_unit _ _ _ _ (feat \o z)) [w [b s_neq0]].
pose ph i := relu (dot w ((feat \o z) i) + b).
pose s := \sum_i ph i *: (y i - f (z i)).
exists w, b, ((\sum_i ph i ^+ 2)^-1 *: s) => p q net j j' phi lane_j phiE.
have N_gt0 : (0 < N)%N.
  rewrite lt0n; apply: contraNneq s_neq0 => N0; apply/eqP/big1 => i.
  by have := ltn_ord i; rewrite {2}N0.
rewrite /mse ltr_pM2l ?invr_gt0 ?ltr0n //.
have := C5_strict_descent s_neq0; rewrite -/s.
under eq_bigr => i _ do rewrite -addrA -opprD normsqBC.
under [X in _ < X]eq_bigr => i _ do rewrite normsqBC.
apply: le_lt_trans; rewrite le_eqVlt; apply/orP; left; apply/eqP.
apply: eq_bigr => i _.
by rewrite (C16_lane lane_j) phiE ?relu_ge0.
Qed.

End Depth.
