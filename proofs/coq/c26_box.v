(******************************************************************************)
(* C26, the posterior on real parameters: there is no uniform prior on R^K,   *)
(* so the parameters lie in a box [-B, B]^K and the prior is uniform on a     *)
(* grid of it. L is Lipschitz on the box. Nets with a train-idle circuit lose *)
(* at least tau more than some net of the box; then their mass is small at    *)
(* low temperatures, however fine the grid is.                                *)
(*                                                                            *)
(*      in_box B a == every parameter is at most B in size                    *)
(* lipschitz B L M == L a <= L b + M r for a, b in the box that differ by at  *)
(*                    most r in each parameter                                *)
(*   point B G t == the grid point with the indices t; G steps an axis        *)
(*      C26_near == the bound of C14 by the models that lose at most l        *)
(*      C26_grid == any set of models that lose tau more than a point of the  *)
(*                  box has mass at most ((G + 1) / c)^K e(beta tau / 2)^-1,  *)
(*                  if c steps of the grid change L by at most tau / 2        *)
(*      C26_fine == and at most (8 B M / tau)^K e(beta tau / 2)^-1 on every   *)
(*                  grid of spacing at most tau / (4 M)                       *)
(*      C26_idle == the same for the nets with a train-idle circuit: l is     *)
(*                  below the loss of every narrower net, and some net of the *)
(*                  box has loss at most l - tau                              *)
(*     C26_taxes == taxes telescope: of widths whose least losses are l, at   *)
(*                  most (l 0 - E) / tau are worth tau or more                *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c14_posterior c14_idle.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Near.

Variables (R : realFieldType) (e : R -> R).
Hypothesis eD : forall x y, e (x + y) = e x * e y.
Hypothesis e_ge : forall x, 1 + x <= e x.
Variables (T : finType) (L : T -> R).

Theorem C26_near (A D : {set T}) (l tau beta : R) : 0 <= beta ->
  A != set0 -> (forall t, t \in A -> L t <= l) ->
  (forall t, t \in D -> l + tau <= L t) ->
  posterior L (boltzmann e beta) D
  <= (#|D|%:R / #|A|%:R) * (e (beta * tau))^-1.
Proof. exact: near_exponential. Qed.

End Near.

Section Grid.

Variables (R : realFieldType) (K G : nat) (B M : R).
Implicit Types (a b : 'I_K -> R) (L : ('I_K -> R) -> R).

Definition in_box a := forall k, `|a k| <= B.

Definition lipschitz L := forall a b (r : R), in_box a -> in_box b ->
  (forall k, `|a k - b k| <= r) -> L a <= L b + M * r.

Definition step : R := 2%:R * B / G%:R.

Definition point (t : {ffun 'I_K -> 'I_G.+1}) : 'I_K -> R :=
  fun k => step * (t k)%:R - B.

Hypothesis G_gt0 : (0 < G)%N.
Hypothesis B_gt0 : 0 < B.

Lemma Gr_gt0 : 0 < G%:R :> R.
Proof. by rewrite ltr0n. Qed.
Local Hint Resolve Gr_gt0 : core.

Lemma step_gt0 : 0 < step.
Proof. by rewrite divr_gt0 ?mulr_gt0 ?ltr0n. Qed.

Lemma stepG : step * G%:R = 2%:R * B.
Proof. by rewrite /step divfK // gt_eqF. Qed.

Lemma point_in_box t : in_box (point t).
Proof.
move=> k; have s_gt0 := step_gt0; rewrite /point ler_norml; apply/andP; split.
  by rewrite -[X in X <= _]add0r lerD2r mulr_ge0 ?ler0n // ltW.
rewrite lerBlDr; apply: (@le_trans _ _ (step * G%:R)).
  by rewrite ler_pM2l // ler_nat -ltnS; exact: ltn_ord.
by rewrite stepG mulr_natl mulr2n.
Qed.

(* On one axis c indices in a row lie within c steps of any place.            *)
Lemma window c (u : R) : (0 < c <= G.+1)%N -> 0 <= u <= G%:R ->
  exists2 j0, (j0 + c <= G.+1)%N
    & forall i, (j0 <= i < j0 + c)%N -> `|i%:R - u| <= c%:R.
Proof.
case/andP=> c_gt0 c_le /andP[u_ge0 u_le].
have below g : u <= g%:R -> exists q, [/\ (q <= g)%N, q%:R <= u & u <= q%:R + 1].
  elim: g => [|g IH] u_g.
    by exists 0%N; split; rewrite ?add0r // (le_trans u_g) ?ler01.
  have [/IH[q [q_le q_low q_high]]|/ltW g_low] := leP u g%:R.
    by exists q; split=> //; rewrite (leq_trans q_le).
  by exists g; split=> //; rewrite -mulrSr.
have [q [q_le q_low q_high]] := below G u_le.
have c_ge1 : 1 <= c%:R :> R by rewrite ler1n.
exists (minn q (G.+1 - c)).
  by rewrite (leq_trans (leq_add (geq_minr _ _) (leqnn c))) ?subnK.
move=> i /andP[]; rewrite ler_distl.
have [le_q|lt_q] := leqP q (G.+1 - c).
  move=> low high.
  rewrite lerBlDr (le_trans q_high) ?lerD ?ler_nat //=.
  apply: (@le_trans _ _ (q%:R + c%:R)); last by rewrite lerD2r.
  by rewrite -natrD ler_nat ltnW.
rewrite subnK // leq_subLR addnC => low high.
rewrite lerBlDr (le_trans u_le) /=; last first.
  by rewrite -natrD ler_nat ltnW.
apply: (@le_trans _ _ (q%:R + c%:R)); last by rewrite lerD2r.
rewrite -natrD ler_nat ltnW // (leq_trans high) // addnC -leq_subLR.
exact: ltnW.
Qed.

Lemma many_near c a : (0 < c <= G.+1)%N -> in_box a ->
  exists A : {set {ffun 'I_K -> 'I_G.+1}}, #|A| = (c ^ K)%N
    /\ forall t, t \in A -> forall k, `|point t k - a k| <= c%:R * step.
Proof.
move=> c_ok box_a; have s_gt0 := step_gt0.
have place k : 0 <= (a k + B) / step <= G%:R.
  have := box_a k; rewrite ler_norml => /andP[low high].
  rewrite divr_ge0 ?(ltW s_gt0) -?lerBlDr ?sub0r //=.
  by rewrite ler_pdivrMr // mulrC stepG mulr_natl mulr2n lerD2r.
have pick k : exists j0 : nat, (j0 + c <= G.+1)%N
    /\ forall i, (j0 <= i < j0 + c)%N -> `|i%:R - (a k + B) / step| <= c%:R.
  by have [j0 ? ?] := window c_ok (place k); exists j0.
have [j0 j0P] : exists j0 : 'I_K -> nat, forall k, (j0 k + c <= G.+1)%N
    /\ forall i, (j0 k <= i < j0 k + c)%N -> `|i%:R - (a k + B) / step| <= c%:R.
  exact: (fin_all_exists pick).
pose f (s : {ffun 'I_K -> 'I_c}) : {ffun 'I_K -> 'I_G.+1} :=
  [ffun k => inord (j0 k + s k)].
have fE s k : f s k = (j0 k + s k)%N :> nat.
  rewrite ffunE inordK // (leq_trans _ (proj1 (j0P k))) // ltn_add2l.
  exact: ltn_ord.
exists [set f s | s in [set: {ffun 'I_K -> 'I_c}]]; split.
  rewrite card_imset ?cardsT ?card_ffun ?card_ord // => s s' eq_f.
  apply/ffunP => k; apply: val_inj; apply: (@addnI (j0 k)).
  by rewrite -!fE eq_f.
move=> _ /imsetP[s _ ->] k; rewrite /point fE.
have := proj2 (j0P k) (j0 k + s k)%N; rewrite leq_addr ltn_add2l ltn_ord.
move=> /(_ isT) near; set i := (_ + _)%:R in near *.
have -> : step * i - B - a k = (i - (a k + B) / step) * step.
  by rewrite mulrBl divfK ?gt_eqF // mulrC; ring.
by rewrite normrM (gtr0_norm s_gt0) ler_pM2r.
Qed.

Variables (e : R -> R).
Hypothesis eD : forall x y, e (x + y) = e x * e y.
Hypothesis e_ge : forall x, 1 + x <= e x.
Variable L : ('I_K -> R) -> R.
Hypothesis L_lip : lipschitz L.

Theorem C26_grid (D : {set {ffun 'I_K -> 'I_G.+1}}) a (tau beta : R) c :
  0 <= M -> 0 <= beta -> (0 < c <= G.+1)%N -> in_box a ->
  M * (c%:R * step) <= tau / 2%:R ->
  (forall t, t \in D -> L a + tau <= L (point t)) ->
  posterior (L \o point) (boltzmann e beta) D
  <= (G.+1%:R / c%:R) ^+ K * (e (beta * (tau / 2%:R)))^-1.
Proof.
move=> M_ge0 beta_ge0 c_ok box_a few D_high.
have [A [cardA nearA]] := many_near c_ok box_a.
have c_gt0 : 0 < c%:R :> R by case/andP: c_ok; rewrite ltr0n.
have A_neq0 : A != set0 by rewrite -card_gt0 cardA expn_gt0; case/andP: c_ok => ->.
have A_low t : t \in A -> (L \o point) t <= L a + tau / 2%:R.
  move=> /nearA near; apply: le_trans (L_lip (point_in_box t) box_a near) _.
  by rewrite lerD2l.
have D_high' t : t \in D -> L a + tau / 2%:R + tau / 2%:R <= (L \o point) t.
  by move=> /D_high; rewrite -addrA -splitr.
apply: le_trans (C26_near eD e_ge beta_ge0 A_neq0 A_low D_high') _.
rewrite ler_wpM2r ?invr_ge0 ?(ltW (e_gt0 eD e_ge _)) //.
rewrite cardA natrX expr_div_n ler_wpM2r ?invr_ge0 ?exprn_ge0 ?ler0n //.
by rewrite -natrX ler_nat (leq_trans (max_card _)) // card_ffun !card_ord.
Qed.

(* The number of steps is the largest that changes L by at most tau / 2.      *)
Theorem C26_fine (D : {set {ffun 'I_K -> 'I_G.+1}}) a (tau beta : R) :
  0 < M -> 0 < tau -> 0 <= beta -> in_box a -> step <= tau / (4%:R * M) ->
  (forall t, t \in D -> L a + tau <= L (point t)) ->
  posterior (L \o point) (boltzmann e beta) D
  <= (8%:R * B * M / tau) ^+ K * (e (beta * (tau / 2%:R)))^-1.
Proof.
move=> M_gt0 tau_gt0 beta_ge0 box_a fine D_high.
have s_gt0 := step_gt0; have M_neq0 := lt0r_neq0 M_gt0.
have e_pos x := e_gt0 eD e_ge x.
have [D0|[t tD]] := set_0Vmem D.
  rewrite D0 /posterior big_set0 mul0r mulr_ge0 ?invr_ge0 ?(ltW (e_pos _)) //.
  by rewrite exprn_ge0 // divr_ge0 ?mulr_ge0 ?ler0n // ltW.
have tau_le : tau <= M * (2%:R * B).
  have far k : `|point t k - a k| <= 2%:R * B.
    apply: le_trans (ler_normB _ _) _; rewrite mulr_natl mulr2n.
    by apply: lerD; [apply: point_in_box|apply: box_a].
  rewrite -(lerD2l (L a)); apply: le_trans (D_high t tD) _.
  exact: L_lip (point_in_box t) box_a far.
pose ok c := (c <= G)%N && (M * (c%:R * step) <= tau / 2%:R).
have steps c : (0 < c <= 2)%N -> M * (c%:R * step) <= tau / 2%:R.
  case/andP=> _ c_le2; rewrite ler_pdivlMr ?ltr0n //.
  move: fine; rewrite ler_pdivlMr ?mulr_gt0 ?ltr0n //; apply: le_trans.
  have -> : M * (c%:R * step) * 2%:R = step * (2%:R * c%:R * M) by ring.
  by rewrite ler_pM2l // ler_pM2r // -natrM ler_nat (leq_mul (leqnn 2) c_le2).
have ok1 : ok 1%N by rewrite /ok G_gt0 steps.
have ok_le c : ok c -> (c <= G)%N by case/andP.
case: (ex_maxnP (ex_intro _ 1%N ok1) ok_le) => c /andP[c_le c_ok] c_max.
have c_gt0 : (0 < c)%N by apply: c_max.
have cr_gt0 : 0 < c%:R :> R by rewrite ltr0n.
have c_ok' : (0 < c <= G.+1)%N by rewrite c_gt0 (leq_trans c_le).
apply: le_trans (C26_grid (ltW M_gt0) beta_ge0 c_ok' box_a c_ok D_high) _.
rewrite ler_wpM2r ?invr_ge0 ?(ltW (e_pos _)) //.
pose X := B * M; have X_gt0 : 0 < X by rewrite mulr_gt0.
have tauX : tau <= 2%:R * X by rewrite (le_trans tau_le) // mulrCA [M * B]mulrC.
have -> : 8%:R * B * M = 8%:R * X by rewrite mulrA.
apply: lerXn2r; rewrite ?nnegrE ?divr_ge0 ?mulr_ge0 ?ler0n //; try exact: ltW.
rewrite ler_pdivrMr // mulrAC ler_pdivlMr // mulrSr mulrDl mul1r.
have [/eqP G_c|lt_cG] := boolP (c == G).
  rewrite G_c; apply: (@le_trans _ _ (G%:R * tau + G%:R * tau)).
    by rewrite lerD2l ler_peMl ?ler1n // ltW.
  have -> : G%:R * tau + G%:R * tau = G%:R * (2%:R * tau) by ring.
  have -> : 8%:R * X * G%:R = G%:R * (2%:R * (4%:R * X)) by ring.
  rewrite ler_pM2l // ler_pM2l ?ltr0n // (le_trans tauX) // ler_pM2r //.
  by rewrite ler_nat.
have lt_c : (c < G)%N by rewrite ltn_neqAle lt_cG.
have c_ge2 : 2%:R <= c%:R :> R.
  by rewrite ler_nat c_max // /ok steps // andbT (leq_trans _ lt_c).
have next : G%:R * tau <= 4%:R * X * (c%:R + 1).
  have : ~~ ok c.+1 by apply/negP => /c_max; rewrite ltnn.
  rewrite /ok lt_c /= -ltNge => /ltW few.
  apply: (@le_trans _ _ (G%:R * (M * (c.+1%:R * step) * 2%:R))).
    by rewrite ler_pM2l // -ler_pdivrMr ?ltr0n.
  have -> : G%:R * (M * (c.+1%:R * step) * 2%:R)
            = M * (c.+1%:R * (step * G%:R)) * 2%:R by ring.
  by rewrite stepG mulrSr le_eqVlt; apply/orP; left; apply/eqP; rewrite /X; ring.
apply: le_trans (lerD next tauX) _; rewrite -subr_ge0.
have -> : 8%:R * X * c%:R - (4%:R * X * (c%:R + 1) + 2%:R * X)
          = X * (4%:R * c%:R - 6%:R) by ring.
rewrite mulr_ge0 ?(ltW X_gt0) // subr_ge0 (@le_trans _ _ (4%:R * 2%:R)) //.
  by rewrite -natrM ler_nat.
by rewrite ler_pM2l ?ltr0n.
Qed.

End Grid.

Section Idle.

Variables (R : realFieldType) (d m n N K G : nat) (B M : R).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Variable net_of : ('I_K -> R) -> net R d m n.
Variable e : R -> R.
Hypothesis eD : forall x y, e (x + y) = e x * e y.
Hypothesis e_ge : forall x, 1 + x <= e x.

Let L a := loss z y (net_of a).

Theorem C26_idle (D : {set {ffun 'I_K -> 'I_G.+1}}) a (l tau beta : R) :
  (0 < G)%N -> 0 < B -> 0 < M -> 0 < tau -> 0 <= beta ->
  lipschitz B M L -> step G B <= tau / (4%:R * M) ->
  no_narrower n z y l ->
  in_box B a -> L a <= l - tau ->
  (forall t, t \in D -> has_idle z (net_of (point B t))) ->
  posterior (L \o point B (G := G)) (boltzmann e beta) D
  <= (8%:R * B * M / tau) ^+ K * (e (beta * (tau / 2%:R)))^-1.
Proof.
move=> G_gt0 B_gt0 M_gt0 tau_gt0 beta_ge0 lip fine narrow box_a best idle.
apply: (C26_fine G_gt0 B_gt0 eD e_ge lip M_gt0) box_a fine _ => // t /idle.
by move=> /(idle_ge narrow); apply: le_trans; rewrite -lerBrDr.
Qed.

End Idle.

Section Taxes.

Variables (R : realFieldType) (l : nat -> R) (E : R).
Hypothesis l_decr : forall n, l n.+1 <= l n.
Hypothesis l_ge : forall n, E <= l n.

Theorem C26_taxes (tau : R) n :
  \sum_(i < n) (l i - l i.+1) <= l 0%N - E
  /\ tau * #|[set i : 'I_n | tau <= l i - l i.+1]|%:R <= l 0%N - E.
Proof.
have telescope : \sum_(i < n) (l i - l i.+1) = l 0%N - l n.
  elim: n => [|n' IH]; first by rewrite big_ord0 subrr.
  by rewrite big_ord_recr /= IH addrA subrK.
have all_le : \sum_(i < n) (l i - l i.+1) <= l 0%N - E.
  by rewrite telescope lerD2l lerN2.
split=> //; apply: le_trans all_le.
rewrite (bigID (mem [set i : 'I_n | tau <= l i - l i.+1])) /=.
rewrite -[X in X <= _]addr0; apply: lerD.
  by rewrite mulr_natr -sumr_const; apply: ler_sum => i; rewrite inE.
by apply: sumr_ge0 => i _; rewrite subr_ge0.
Qed.

End Taxes.
