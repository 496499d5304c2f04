(******************************************************************************)
(* C21, readout price: what it costs, in training, to move the answer of a net*)
(* at one input by its output weights alone. No premise of separability or P1.*)
(*                                                                            *)
(* with_one f, design, penalties, stacked == ridge with an intercept that is  *)
(*                 not penalised, as weights of a constant feature            *)
(*    C21_ridge == the bound of C21_bound for the ridge of C19                *)
(*  feat theta x == (1, phi_1(x), .., phi_n(x))                               *)
(* same_features == two nets differ in output weights and shift at most       *)
(* readout_minimal theta == no net of the same features has a lower loss      *)
(* leverage theta x h == h is the leverage of feat theta x, nothing penalised *)
(*     C21_near == theta readout_minimal: a net of the same features deviates *)
(*                 from it at x by at most |.|^2 <= N h (difference of loss)  *)
(*    C21_price == so moving the answer at x by w costs |w|^2 / (N h) in L,   *)
(*                 and no less                                                *)
(* C21_no_row_space == feat theta x outside the row space of the training     *)
(*                 features: any move at x is free                            *)
(*     C21_idle == so it is if a train-idle circuit fires at x                *)
(* C21_full_rank == and never if the training features have full rank         *)
(* C21_minimiser == so at a minimiser of S_n above the noise floor every x has*)
(*                 an h > 0, and a net of S_n moves the answer there by w at  *)
(*                 |w|^2 / (N h)                                              *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c9_full_rank c19_analytical c21_leverage.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Regression with a free intercept                                           *)

Section Regression.

Variables (R : realFieldType) (p m N : nat).
Variables (phi : 'I_N -> 'I_p -> R) (y : 'I_N -> 'rV[R]_m) (l : R).
Implicit Types (a : 'I_p -> 'rV[R]_m) (c : 'rV[R]_m) (f : 'I_p -> R).

Definition with_one f : 'rV[R]_p.+1 := \row_k oapp f 1 (unlift ord0 k).
Definition design : 'M[R]_(N, p.+1) := \matrix_i with_one (phi i).
Definition penalties (k : 'I_p.+1) : R :=
  if unlift ord0 k is Some _ then l else 0.
Definition stacked a c : 'M[R]_(p.+1, m) :=
  \matrix_k oapp a c (unlift ord0 k).

Lemma with_one_mul f a c : with_one f *m stacked a c = c + \sum_j f j *: a j.
Proof.
apply/rowP => k; rewrite !mxE summxE big_ord_recl !mxE unlift_none mul1r.
by congr (_ + _); apply: eq_bigr => j _; rewrite !mxE liftK.
Qed.

Lemma ridge_cost a c :
  ridge phi y l a c = cost design y penalties (stacked a c).
Proof.
rewrite /ridge /cost big_ord_recl /penalties unlift_none mul0r add0r.
congr (_ + _); first by apply: eq_bigr => i _; rewrite rowK with_one_mul.
rewrite /size2 mulr_sumr; apply: eq_bigr => j _.
by rewrite liftK rowK liftK.
Qed.

Theorem C21_ridge a0 c0 a c f h : 0 <= l -> ridge_min phi y true l a0 c0 ->
  lever design penalties (with_one f) h ->
  normsq ((c + \sum_j f j *: a j) - (c0 + \sum_j f j *: a0 j))
    <= h * (ridge phi y l a c - ridge phi y l a0 c0).
Proof.
move=> l_ge0 [_ a0_min] lev; rewrite !ridge_cost -!with_one_mul.
have l0 k : 0 <= penalties k by rewrite /penalties; case: unlift.
apply: (C21_bound l0 _ lev) => b.
have -> : b = stacked (fun j => row (lift ord0 j) b) (row ord0 b).
  by apply/row_matrixP => k; rewrite rowK; case: unliftP => [j|] ->.
by rewrite -!ridge_cost; apply: a0_min.
Qed.

End Regression.

(* Nets                                                                       *)

Section Nets.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n) (x : 'rV[R]_d) (J : {set 'I_n}).
Implicit Types (w : 'rV[R]_m) (h : R).

Definition feat theta x : 'rV[R]_n.+1 := with_one (act theta ^~ x).

Definition readout theta (a : 'M[R]_(n.+1, m)) : net R d m n :=
  Net (inw theta) (bias theta) (fun j => row (lift ord0 j) a) (row ord0 a).

Definition same_features theta theta' :=
  inw theta' =1 inw theta /\ bias theta' =1 bias theta.

Definition readout_minimal theta := forall theta',
  same_features theta theta' -> loss z y theta <= loss z y theta'.

Definition leverage theta x h :=
  lever (features z theta) (fun=> 0) (feat theta x) h.

Let ws theta : 'M[R]_(n.+1, m) := stacked (outw theta) (shift theta).

Lemma row_features theta i : row i (features z theta) = feat theta (z i).
Proof. by apply/rowP => k; rewrite !mxE; case: unlift. Qed.

Lemma eval_feat theta x : eval theta x = feat theta x *m ws theta.
Proof. by rewrite with_one_mul. Qed.

Lemma ws_readout theta a : ws (readout theta a) = a.
Proof. by apply/row_matrixP => k; rewrite rowK; case: unliftP => [j|] ->. Qed.

Lemma eval_readout theta a x : eval (readout theta a) x = feat theta x *m a.
Proof. by rewrite eval_feat ws_readout. Qed.

Lemma feat_same theta theta' x :
  same_features theta theta' -> feat theta' x = feat theta x.
Proof.
move=> [sw sb]; apply/rowP => k; rewrite !mxE; case: unlift => //= j.
by rewrite /act sw sb.
Qed.

Lemma loss_cost theta theta' : same_features theta theta' ->
  loss z y theta' = N%:R^-1 * cost (features z theta) y (fun=> 0) (ws theta').
Proof.
move=> same; rewrite /cost [X in _ + X]big1 ?addr0 => [|j _]; last exact: mul0r.
congr (_ * _); apply: eq_bigr => i _.
by rewrite eval_feat (feat_same _ same) row_features.
Qed.

Lemma same_refl theta : same_features theta theta.
Proof. by []. Qed.

Lemma same_readout theta a : same_features theta (readout theta a).
Proof. by []. Qed.

Lemma readout_cost theta : (0 < N)%N -> readout_minimal theta ->
  cost_minimal (features z theta) y (fun=> 0) (ws theta).
Proof.
move=> N_gt0 theta_min a; have := theta_min _ (same_readout theta a).
rewrite !(@loss_cost theta) // ws_readout ler_pM2l //.
by rewrite invr_gt0 ltr0n.
Qed.

Lemma l0 (j : 'I_n.+1) : 0 <= (fun=> 0 : R) j. Proof. exact: lexx. Qed.

(* The constant is a feature, so h is above 0, and there are training inputs. *)
Lemma leverage_N theta x h : leverage theta x h -> 0 < h /\ (0 < N)%N.
Proof.
move=> lev; have h_ge0 : 0 <= h.
  by case: lev => u uM hE; apply: (h_ge0 l0 uM hE).
have := C21_constant (k0 := ord0) l0 lev; rewrite addr0 => le1.
have : 1 <= h * N%:R.
  by apply: le1 => [i|]; rewrite !mxE unlift_none.
case: N => [|k] h1; first by move: h1; rewrite mulr0 ler10.
split=> //; rewrite lt0r h_ge0 andbT; apply: contraL h1 => /eqP->.
by rewrite mul0r ler10.
Qed.

Theorem C21_near theta theta' x h : readout_minimal theta ->
  leverage theta x h -> same_features theta theta' ->
  normsq (eval theta' x - eval theta x)
    <= N%:R * h * (loss z y theta' - loss z y theta).
Proof.
move=> theta_min lev same; have [_ N_gt0] := leverage_N lev.
have := C21_bound l0 (ws theta') lev (readout_cost N_gt0 theta_min).
rewrite !(@loss_cost theta) // -mulrBr !eval_feat (feat_same _ same).
by rewrite [_%:R * h]mulrC -mulrA mulVKf // pnatr_eq0 -lt0n.
Qed.

Lemma reached theta x h w : readout_minimal theta ->
  leverage theta x h -> exists theta', [/\ same_features theta theta',
    eval theta' x = eval theta x + w
  & loss z y theta' = loss z y theta + normsq w / (N%:R * h)].
Proof.
move=> theta_min lev; have [h_gt0 N_gt0] := leverage_N lev.
have [a [fa ca]] := C21_attained l0 w lev h_gt0 (readout_cost N_gt0 theta_min).
exists (readout theta a); split=> //.
  by rewrite eval_readout fa eval_feat.
rewrite !(@loss_cost theta) // ws_readout ca mulrDr; congr (_ + _).
by rewrite invfM [RHS]mulrCA.
Qed.

Theorem C21_price theta x h w : readout_minimal theta -> leverage theta x h ->
  (forall theta', same_features theta theta' ->
    eval theta' x = eval theta x + w ->
    normsq w / (N%:R * h) <= loss z y theta' - loss z y theta) /\
  exists theta', [/\ same_features theta theta',
    eval theta' x = eval theta x + w
  & loss z y theta' - loss z y theta = normsq w / (N%:R * h)].
Proof.
move=> theta_min lev; have [h_gt0 N_gt0] := leverage_N lev; split.
  move=> theta' same E; have := C21_near theta_min lev same.
  rewrite E addrAC subrr add0r mulrC -ler_pdivrMr //.
  by rewrite mulr_gt0 ?ltr0n.
have [theta' [same fx lossE]] := reached w theta_min lev.
by exists theta'; split=> //; rewrite lossE addrAC subrr add0r.
Qed.

Theorem C21_no_row_space theta x w :
  ~~ (feat theta x <= features z theta)%MS ->
  exists theta', [/\ same_features theta theta',
    forall i, eval theta' (z i) = eval theta (z i)
  & eval theta' x = eval theta x + w].
Proof.
rewrite -(C21_row_space _ l0) => [|//]; move=> /(C21_free y l0 (ws theta) w).
move=> [a [_ train fx]]; exists (readout theta a); split=> // [i|].
  by rewrite eval_readout eval_feat -row_features -!row_mul train.
by rewrite eval_readout eval_feat.
Qed.

Theorem C21_idle theta J x : fires z theta J x ->
  ~~ (feat theta x <= features z theta)%MS.
Proof.
move=> [v idle fire]; apply/negP => /submxP[D fE].
pose a j := if j \in J then outw theta j else 0.
pose A : 'M[R]_(n.+1, m) := stacked a (- v).
have AE x' : feat theta x' *m A = circuit_out theta J x' - v.
  rewrite with_one_mul addrC; congr (_ - _).
  rewrite /circuit_out [RHS]big_mkcond; apply: eq_bigr => j _.
  by rewrite /a; case: ifP => // _; rewrite scaler0.
have phiA : features z theta *m A = 0.
  apply/row_matrixP => i; rewrite row0 row_mul row_features AE idle.
  exact: subrr.
move: fire; rewrite -subr_eq0 -AE fE -mulmxA phiA mulmx0.
by rewrite eqxx.
Qed.

Theorem C21_full_rank theta x : \rank (features z theta) = n.+1 ->
  (feat theta x <= features z theta)%MS /\ exists h, leverage theta x h.
Proof.
move=> full; have sub : (feat theta x <= features z theta)%MS.
  by rewrite submx_full // /row_full full.
split=> //; apply/C21_dichotomy.
by rewrite (C21_row_space _ l0).
Qed.

Theorem C21_minimiser theta x w : minimiser z y theta ->
  floor z y < loss z y theta -> exists h, [/\ 0 < h, leverage theta x h
  & exists theta' : net R d m n, eval theta' x = eval theta x + w /\
    loss z y theta' = loss z y theta + normsq w / (N%:R * h)].
Proof.
move=> theta_min above; have := C9_full_rank theta_min above.
case/(C21_full_rank x) => _ [h lev]; exists h.
have [h_gt0 _] := leverage_N lev; split=> //.
have [|theta' [_ fx lossE]] := @reached theta x h w _ lev.
  by move=> theta' _; apply: theta_min.
by exists theta'.
Qed.

End Nets.
