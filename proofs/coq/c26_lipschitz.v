(******************************************************************************)
(* C26 without a premise about L: on the nets of S_n whose numbers lie in a   *)
(* box the squared loss is Lipschitz, with a constant that is written down.   *)
(* Z and Y bound the coordinates of inputs and targets.                       *)
(*                                                                            *)
(*  in_net_box B theta == every number of theta is at most B in size          *)
(* close r theta theta' == their numbers differ by at most r each             *)
(*      tied p q u v a == the net whose numbers are parameters: w_jk is       *)
(*                        a (p j k), b_j is a (q j), a_jo is a (u j o), c_o   *)
(*                        is a (v o); several may be one parameter            *)
(*              extent == d Z + 1                                             *)
(*           steepness == Lambda = 2 m (1 + 2 n B extent)                     *)
(*                                 (B (1 + n B extent) + Y)                   *)
(*           C26_steep == L changes by at most Lambda r between close nets of *)
(*                        the box                                             *)
(*       C26_lipschitz == so L is Lipschitz in the parameters, tied or not    *)
(*        C26_idle_box == the bound of C26_idle with this Lambda              *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c14_posterior c25_norms c26_box.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Steep.

Variables (R : realFieldType) (d m n N : nat) (B Z Y : R).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n) (r : R).

Definition in_net_box theta :=
  [/\ forall j k, `|inw theta j 0 k| <= B, forall j, `|bias theta j| <= B,
      forall j k, `|outw theta j 0 k| <= B & forall k, `|shift theta 0 k| <= B].

Definition close r theta theta' :=
  [/\ forall j k, `|inw theta j 0 k - inw theta' j 0 k| <= r,
      forall j, `|bias theta j - bias theta' j| <= r,
      forall j k, `|outw theta j 0 k - outw theta' j 0 k| <= r
    & forall k, `|shift theta 0 k - shift theta' 0 k| <= r].

Definition extent : R := d%:R * Z + 1.

Definition steepness : R :=
  2%:R * m%:R * (1 + 2%:R * n%:R * B * extent)
  * (B * (1 + n%:R * B * extent) + Y).

Hypothesis Z_ge0 : 0 <= Z.
Hypothesis Y_ge0 : 0 <= Y.
Hypothesis inputs : forall i k, `|z i 0 k| <= Z.
Hypothesis targets : forall i k, `|y i 0 k| <= Y.

Lemma extent_gt0 : 0 < extent.
Proof. by rewrite ltr_wpDl ?ltr01 // mulr_ge0 ?ler0n. Qed.

Lemma sum_le K (F : 'I_K -> R) t :
  (forall k, `|F k| <= t) -> `|\sum_k F k| <= K%:R * t.
Proof.
move=> F_le; apply: le_trans (ler_norm_sum _ _ _) _.
rewrite mulr_natl -[K in X in _ <= X]card_ord -sumr_const.
exact: ler_sum.
Qed.

(* w.z + b for weights and a bias of size t each.                             *)
Lemma affine_le (w : 'rV[R]_d) b t i : 0 <= t ->
  (forall k, `|w 0 k| <= t) -> `|b| <= t -> `|dot w (z i) + b| <= t * extent.
Proof.
move=> t_ge0 w_le b_le; apply: le_trans (ler_normD _ _) _.
rewrite mulrDr mulr1 lerD // mulrCA; apply: sum_le => k.
by rewrite normrM ler_pM.
Qed.

Lemma relu_le (t : R) : `|relu t| <= `|t|.
Proof. by have := relu_lip t 0; rewrite (relu_0 (lexx 0)) !subr0. Qed.

Lemma act_le theta j i : 0 <= B -> in_net_box theta ->
  `|act theta j (z i)| <= B * extent.
Proof.
move=> B_ge0 [w_le b_le _ _]; apply: le_trans (relu_le _) _.
exact: affine_le.
Qed.

Lemma act_close theta theta' j r i : 0 <= r -> close r theta theta' ->
  `|act theta j (z i) - act theta' j (z i)| <= r * extent.
Proof.
move=> r_ge0 [w_le b_le _ _]; apply: le_trans (relu_lip _ _) _.
have -> : dot (inw theta j) (z i) + bias theta j
    - (dot (inw theta' j) (z i) + bias theta' j)
  = dot (inw theta j - inw theta' j) (z i) + (bias theta j - bias theta' j).
  by rewrite dotDl -scaleN1r dotZl mulN1r opprD addrACA.
by apply: affine_le => // k; rewrite coordB.
Qed.

Lemma evalE theta x o : eval theta x 0 o
  = shift theta 0 o + \sum_j act theta j x * outw theta j 0 o.
Proof.
by rewrite mxE summxE; congr (_ + _); apply: eq_bigr => j _; rewrite mxE.
Qed.

Lemma eval_le theta i o : 0 <= B -> in_net_box theta ->
  `|eval theta (z i) 0 o| <= B * (1 + n%:R * B * extent).
Proof.
move=> B_ge0 box; have [_ _ a_le c_le] := box.
rewrite evalE; apply: le_trans (ler_normD _ _) _.
have -> : B * (1 + n%:R * B * extent) = B + n%:R * (B * extent * B) by ring.
rewrite lerD //; apply: sum_le => j.
by rewrite normrM ler_pM // act_le.
Qed.

Lemma eval_close theta theta' r i o : 0 <= B -> 0 <= r ->
  in_net_box theta -> in_net_box theta' -> close r theta theta' ->
  `|eval theta (z i) 0 o - eval theta' (z i) 0 o|
  <= r * (1 + 2%:R * n%:R * B * extent).
Proof.
move=> B_ge0 r_ge0 box box' near; have [_ _ a_near c_near] := near.
have [_ _ a_le _] := box.
rewrite !evalE opprD addrACA -sumrB; apply: le_trans (ler_normD _ _) _.
have -> : r * (1 + 2%:R * n%:R * B * extent)
          = r + n%:R * (r * extent * B + B * extent * r) by ring.
rewrite lerD //; apply: sum_le => j.
have -> : act theta j (z i) * outw theta j 0 o
    - act theta' j (z i) * outw theta' j 0 o
  = (act theta j (z i) - act theta' j (z i)) * outw theta j 0 o
    + act theta' j (z i) * (outw theta j 0 o - outw theta' j 0 o) by ring.
apply: le_trans (ler_normD _ _) _; rewrite !normrM.
by rewrite lerD // ler_pM // ?act_close ?act_le.
Qed.

Lemma square_close (s s' t q u v : R) : `|s| <= u -> `|s'| <= u ->
  `|t| <= v -> `|s - s'| <= q ->
  (s - t) ^+ 2 <= (s' - t) ^+ 2 + q * (2%:R * (u + v)).
Proof.
move=> s_le s'_le t_le near; rewrite -lerBlDl.
have -> : (s - t) ^+ 2 - (s' - t) ^+ 2
          = (s - s') * ((s - t) + (s' - t)) by ring.
apply: le_trans (ler_norm _) _; rewrite normrM ler_pM //.
apply: le_trans (ler_normD _ _) _; rewrite mulr_natl mulr2n.
by rewrite lerD // (le_trans (ler_normB _ _)) ?lerD.
Qed.

Theorem C26_steep theta theta' r :
  in_net_box theta -> in_net_box theta' -> close r theta theta' ->
  loss z y theta <= loss z y theta' + steepness * r.
Proof.
move=> box box' near; have [m0|m_gt0] := posnP m.
  have loss0 (th : net R d m n) : loss z y th = 0.
    rewrite /loss /mse big1 ?mulr0 // => i _; rewrite /normsq big1 // => o _.
    by have := ltn_ord o; rewrite [X in (_ < X)%N]m0.
  by rewrite !loss0 add0r /steepness m0 mulr0 !mul0r.
pose o : 'I_m := Ordinal m_gt0.
have B_ge0 : 0 <= B by have [_ _ _ /(_ o)] := box; exact: le_trans.
have r_ge0 : 0 <= r by have [_ _ _ /(_ o)] := near; exact: le_trans.
have extent_ge0 := ltW extent_gt0.
pose q := r * (1 + 2%:R * n%:R * B * extent).
pose u := B * (1 + n%:R * B * extent).
pose D := m%:R * (q * (2%:R * (u + Y))).
have k_ge0 : 0 <= n%:R * B * extent by rewrite !mulr_ge0 ?ler0n.
have u_ge0 : 0 <= u by rewrite mulr_ge0 ?addr_ge0 ?ler01.
have q_ge0 : 0 <= q.
  by rewrite mulr_ge0 ?addr_ge0 ?ler01 // -!mulrA mulr_ge0 ?mulrA ?ler0n.
have D_ge0 : 0 <= D.
  by apply: mulr_ge0; rewrite ?ler0n // mulr_ge0 // mulr_ge0 ?ler0n ?addr_ge0.
have row i : normsq (eval theta (z i) - y i)
             <= normsq (eval theta' (z i) - y i) + D.
  rewrite /D mulr_natl -[m in X in _ <= _ + X]card_ord -sumr_const -big_split.
  by apply: ler_sum => k _; rewrite !coordB square_close ?eval_le ?eval_close.
have -> : steepness * r = D by rewrite /steepness /D /q /u; ring.
rewrite /loss /mse; apply: (@le_trans _ _
  (N%:R^-1 * (\sum_i normsq (eval theta' (z i) - y i) + N%:R * D))).
  rewrite ler_wpM2l ?invr_ge0 ?ler0n // mulr_natl.
  rewrite -[N in X in _ <= _ + X]card_ord -sumr_const -big_split.
  by apply: ler_sum => i _; exact: row.
rewrite mulrDr lerD2l mulrA; have [->|N_neq0] := eqVneq (N%:R : R) 0.
  by rewrite mulr0 mul0r.
by rewrite mulVf ?mul1r.
Qed.

Lemma steepness_gt0 : 0 < B -> (0 < m)%N -> 0 < steepness.
Proof.
move=> B_gt0 m_gt0; have extent_ge0 := ltW extent_gt0; have B_ge0 := ltW B_gt0.
have pos (t : R) : 0 <= t -> 0 < 1 + t.
  by move=> t_ge0; rewrite ltr_wpDr ?ltr01.
have one : 0 < 1 + 2%:R * n%:R * B * extent by rewrite pos ?mulr_ge0 ?ler0n.
have two : 0 < B * (1 + n%:R * B * extent).
  by rewrite mulr_gt0 ?pos ?mulr_ge0 ?ler0n.
by rewrite mulr_gt0 ?(ltr_wpDr Y_ge0) // mulr_gt0 ?mulr_gt0 ?ltr0n.
Qed.

End Steep.

Section Tied.

Variables (R : realFieldType) (d m n N K G : nat) (B Z Y : R).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Variables (p : 'I_n -> 'I_d -> 'I_K) (q : 'I_n -> 'I_K).
Variables (u : 'I_n -> 'I_m -> 'I_K) (v : 'I_m -> 'I_K).

Definition tied (a : 'I_K -> R) : net R d m n :=
  Net (fun j => \row_k a (p j k)) (fun j => a (q j))
      (fun j => \row_o a (u j o)) (\row_o a (v o)).

Let L a := loss z y (tied a).
Let Lambda := steepness d m n B Z Y.

Theorem C26_lipschitz : 0 <= Z -> 0 <= Y ->
  (forall i k, `|z i 0 k| <= Z) -> (forall i k, `|y i 0 k| <= Y) ->
  lipschitz B Lambda L.
Proof.
move=> Z_ge0 Y_ge0 inputs targets a b r box_a box_b near.
have boxed c : in_box B c -> in_net_box B (tied c).
  by move=> box_c; split=> [j k|j|j k|k] /=; rewrite ?mxE.
apply: C26_steep => //; try exact: boxed.
by split=> [j k|j|j k|k] /=; rewrite ?mxE.
Qed.

Variable e : R -> R.
Hypothesis eD : forall x y, e (x + y) = e x * e y.
Hypothesis e_ge : forall x, 1 + x <= e x.

Theorem C26_idle_box (D : {set {ffun 'I_K -> 'I_G.+1}}) a (l tau beta : R) :
  0 <= Z -> 0 <= Y ->
  (forall i k, `|z i 0 k| <= Z) -> (forall i k, `|y i 0 k| <= Y) ->
  (0 < G)%N -> 0 < B -> (0 < m)%N -> 0 < tau -> 0 <= beta ->
  step G B <= tau / (4%:R * Lambda) ->
  (forall h (theta : net R d m h), (h < n)%N -> l <= loss z y theta) ->
  in_box B a -> L a <= l - tau ->
  (forall t, t \in D -> exists2 J : {set 'I_n}, J != set0
     & train_idle z (tied (point B t)) J) ->
  posterior (L \o point B (G := G)) (boltzmann e beta) D
  <= (8%:R * B * Lambda / tau) ^+ K * (e (beta * (tau / 2%:R)))^-1.
Proof.
move=> Z_ge0 Y_ge0 inputs targets G_gt0 B_gt0 m_gt0 tau_gt0 beta_ge0 fine.
move=> narrow box_a best idle.
have steep := C26_lipschitz Z_ge0 Y_ge0 inputs targets.
have Lambda_gt0 : 0 < Lambda by exact: steepness_gt0.
exact: (C26_idle eD e_ge G_gt0 B_gt0 Lambda_gt0 tau_gt0 beta_ge0 steep fine
  narrow box_a best idle).
Qed.

End Tied.
