(******************************************************************************)
(* C21, factors: bounds of a leverage by a factor T that nearly turns M to a  *)
(* multiple of the identity. With psi = f T and G = T^T M T, where all sums   *)
(* |G - omega I| along a row are at most delta,                               *)
(*      |psi|^2 / (omega + delta) <= h, and if T is square and delta < omega, *)
(*      f has a leverage, and h <= |psi|^2 / (omega - delta).                 *)
(*                                                                            *)
(*    near G omega delta == G is symmetric, and the sums are at most delta    *)
(*    lever_low, lever_high == these bounds                                   *)
(*       lever_scaled == a leverage is the same in another scale              *)
(*     lever_extended == features that depend on others, in training and at   *)
(*                    the input alike, change no leverage                     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c21_leverage.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Form.

Variables (R : realFieldType) (q : nat) (G : 'M[R]_q) (omega delta : R).

Definition near := G^T = G /\ forall i, \sum_j `|G i j - (i == j)%:R * omega| <= delta.

Hypothesis nearG : near.
Implicit Types x : 'rV[R]_q.

Lemma near_form x : `|dot (x *m G) x - omega * normsq x| <= delta * normsq x.
Proof.
case: nearG => symG rows; pose E i j := G i j - (i == j)%:R * omega.
have symE i j : E j i = E i j by rewrite /E -{1}symG mxE eq_sym.
have -> : dot (x *m G) x - omega * normsq x = \sum_i \sum_j x 0 i * E i j * x 0 j.
  have -> : dot (x *m G) x = \sum_i \sum_j x 0 i * G i j * x 0 j.
    rewrite exchange_big; apply: eq_bigr => j _.
    by rewrite mxE mulr_suml; apply: eq_bigr => i _.
  have -> : omega * normsq x = \sum_i \sum_j x 0 i * ((i == j)%:R * omega) * x 0 j.
    rewrite /normsq mulr_sumr; apply: eq_bigr => i _.
    rewrite (bigD1 i) //= eqxx big1 ?addr0 => [|j ij].
      by rewrite mul1r [x 0 i * _]mulrC -mulrA -expr2.
    by rewrite eq_sym (negbTE ij) mul0r mulr0 mul0r.
  rewrite -sumrB; apply: eq_bigr => i _; rewrite -sumrB; apply: eq_bigr => j _.
  by rewrite -mulrBl -mulrBr.
apply: le_trans (ler_norm_sum _ _ _) _.
have half i j : `|x 0 i * E i j * x 0 j|
    <= (`|E i j| * x 0 i ^+ 2 + `|E i j| * x 0 j ^+ 2) / 2%:R.
  have -> : `|x 0 i * E i j * x 0 j| = `|E i j| * (`|x 0 i| * `|x 0 j|).
    by rewrite !normrM -mulrA mulrCA.
  rewrite -mulrDr -mulrA; apply: ler_wpM2l; first exact: normr_ge0.
  rewrite ler_pdivlMr ?ltr0n // -[x 0 i ^+ 2]real_normK ?num_real //.
  rewrite -[x 0 j ^+ 2]real_normK ?num_real // -subr_ge0.
  by move: `|x 0 i| `|x 0 j| => a b; rewrite mulr_natr -addrAC -sqrrB sqr_ge0.
apply: le_trans (ler_sum _ (fun i _ => ler_norm_sum _ _ _)) _.
apply: le_trans (ler_sum _ (fun i _ => ler_sum _ (fun j _ => half i j))) _.
have one : \sum_i \sum_j `|E i j| * x 0 i ^+ 2 <= delta * normsq x.
  rewrite /normsq mulr_sumr; apply: ler_sum => i _.
  rewrite -mulr_suml; apply: ler_wpM2r; [exact: sqr_ge0|exact: rows].
have two : \sum_i \sum_j `|E i j| * x 0 j ^+ 2 <= delta * normsq x.
  rewrite exchange_big /normsq mulr_sumr; apply: ler_sum => j _.
  rewrite -mulr_suml; apply: ler_wpM2r; first exact: sqr_ge0.
  by apply: le_trans (rows j); apply: ler_sum => i _; rewrite -/(E j i) symE.
rewrite (_ : \sum_i _ = (\sum_i \sum_j `|E i j| * x 0 i ^+ 2
    + \sum_i \sum_j `|E i j| * x 0 j ^+ 2) / 2%:R).
  by rewrite ler_pdivrMr ?ltr0n // mulr_natr mulr2n lerD.
rewrite -big_split mulr_suml; apply: eq_bigr => i _ /=.
by rewrite -big_split mulr_suml.
Qed.

Lemma form_le x : dot (x *m G) x <= (omega + delta) * normsq x.
Proof.
have := near_form x; rewrite ler_norml => /andP[_].
by rewrite lerBlDr -mulrDl addrC.
Qed.

Lemma form_ge x : (omega - delta) * normsq x <= dot (x *m G) x.
Proof.
have := near_form x; rewrite ler_norml => /andP[+ _].
by rewrite lerBrDr -mulNr -mulrDl addrC.
Qed.

End Form.

Section Levers.

Variables (R : realFieldType) (p N : nat) (phi : 'M[R]_(N, p)) (l : 'I_p -> R).
Hypothesis l_ge0 : forall j, 0 <= l j.

Section Factor.

Variables (q : nat) (T : 'M[R]_(p, q)) (omega delta : R).
Let G := T^T *m gram phi l *m T.
Hypothesis nearG : near G omega delta.

Lemma bil_factor (x : 'rV[R]_q) : bil phi l (T *m x^T) (T *m x^T) = dot (x *m G) x.
Proof.
rewrite /bil trmx_mul trmxK /G !mulmxA /mxtrace big_ord1 mxE.
by apply: eq_bigr => j _; rewrite !mxE.
Qed.

Lemma lever_low f h : 0 <= omega + delta -> lever phi l f h ->
  normsq (f *m T) <= h * (omega + delta).
Proof.
move=> od_ge0 [u uM hE]; set psi := f *m T; have h0 := h_ge0 l_ge0 uM hE.
have [->|psi_n0] := eqVneq psi 0.
  by rewrite (_ : normsq 0 = 0) ?mulr_ge0 //; apply/eqP; rewrite normsq_eq0.
have psi_gt0 : 0 < normsq psi by rewrite lt0r normsq_eq0 psi_n0 normsq_ge0.
have := lever_bound l_ge0 uM hE (T *m psi^T).
have sqE : normsq (psi *m psi^T) = normsq psi * normsq psi.
  rewrite normsq1 mxE -expr2 -dot_normsq; congr (_ ^+ 2).
  by apply: eq_bigr => j _; rewrite [psi^T _ _]mxE.
rewrite bil_factor mulmxA -/psi sqE.
move/le_trans/(_ (ler_wpM2l h0 (form_le nearG psi))).
by rewrite mulrA ler_pM2r.
Qed.

End Factor.

Section Square.

Variables (T : 'M[R]_p) (omega delta : R).
Let G := T^T *m gram phi l *m T.
Hypotheses (nearG : near G omega delta) (above : delta < omega).

Lemma form_eq0 (x : 'rV[R]_p) : dot (x *m G) x = 0 -> x = 0.
Proof.
move=> x0; have := form_ge nearG x; rewrite x0 pmulr_rle0 ?subr_gt0 // => le0.
by apply/eqP; rewrite -normsq_eq0 eq_le le0 normsq_ge0.
Qed.

Lemma factor_unit : T \in unitmx.
Proof.
rewrite -unitmx_tr -row_free_unit; apply: inj_row_free => v vT0.
by apply: form_eq0; rewrite /G !mulmxA vT0 !mul0mx dot0l.
Qed.

Lemma gram_unit : gram phi l \in unitmx.
Proof.
rewrite -row_free_unit; apply: inj_row_free => v vM0.
pose w := v *m (invmx T)^T; have vE : v = w *m T^T.
  by rewrite /w -mulmxA -trmx_mul mulmxV ?factor_unit // trmx1 mulmx1.
suff w0 : w = 0 by rewrite vE w0 mul0mx.
by apply: form_eq0; rewrite /G !mulmxA -vE vM0 mul0mx dot0l.
Qed.

Lemma lever_high f : exists2 h, lever phi l f h & h * (omega - delta) <= normsq (f *m T).
Proof.
have [h [u uM hE]] : exists h, lever phi l f h.
  by apply/C21_dichotomy; rewrite submx_full // row_full_unit gram_unit.
exists h; first by exists u.
have h0 := h_ge0 l_ge0 uM hE; set psi := f *m T.
pose w := u *m (invmx T)^T; have uE : u^T = T *m w^T.
  by rewrite /w trmx_mul trmxK mulmxA mulmxV ?factor_unit // mul1mx.
have hG : h = dot (w *m G) w.
  have := bil_uu uM hE (1 : 'rV[R]_1).
  rewrite mulmx1 uE (bil_factor T w) -/G => ->.
  by rewrite normsq1 mxE expr1n mulr1.
have hpsi : h = dot psi w.
  have := f_u hE; rewrite uE mulmxA -/psi => /matrixP/(_ 0 0).
  rewrite mxE [RHS]mxE eqxx mulr1n => <-.
  by apply: eq_bigr => j _; rewrite [w^T _ _]mxE.
have le1 := form_ge nearG w; rewrite -/G -hG in le1.
have le2 := cauchy psi w; rewrite -hpsi in le2.
have [->|h_n0] := eqVneq h 0; first by rewrite mul0r normsq_ge0.
have h_gt0 : 0 < h by rewrite lt0r h_n0.
rewrite -(ler_pM2l h_gt0) mulrA -expr2; apply: le_trans (ler_wpM2r _ le2) _.
  by rewrite subr_ge0 ltW.
rewrite -mulrA mulrC; apply: ler_wpM2r; first exact: normsq_ge0.
by rewrite mulrC.
Qed.

End Square.

Lemma lever_scaled (t : R) f h : t != 0 -> lever phi l f h ->
  lever (t *: phi) (fun j => t ^+ 2 * l j) (t *: f) h.
Proof.
move=> t0 [u uM hE]; exists (t^-1 *: u); last by rewrite dotZl dotZr mulrA mulVf ?mul1r.
have -> : gram (t *: phi) (fun j => t ^+ 2 * l j) = t ^+ 2 *: gram phi l.
  have trZ : (t *: phi)^T = t *: phi^T by apply/matrixP=> i j; rewrite !mxE.
  rewrite /gram trZ -scalemxAl -scalemxAr scalerA -expr2 scalerDr; congr (_ + _).
  by apply/matrixP=> i j; rewrite !mxE mulrnAr.
by rewrite -scalemxAl -scalemxAr scalerA uM expr2 mulrA mulVf ?mul1r.
Qed.

End Levers.

(* Columns S and others that depend on them.                                  *)
Section Extended.

Variables (R : realFieldType) (p r N : nat) (phi : 'M[R]_(N, p)) (S : 'M[R]_(p, r)) (D : 'M[R]_(r, p)).

Lemma lever_extended f h : phi = phi *m S *m D -> f = f *m S *m D ->
  lever (phi *m S) (fun=> 0) (f *m S) h -> lever phi (fun=> 0) f h.
Proof.
have no n (A : 'M[R]_(N, n)) : gram A (fun=> 0) = A^T *m A.
  by rewrite /gram (_ : diag_mx _ = 0) ?addr0 //; apply/matrixP=> i j; rewrite !mxE mul0rn.
move=> phiE fE [u uM ->]; exists (u *m S^T).
  rewrite no in uM; rewrite no {2}phiE.
  have -> : u *m S^T *m (phi^T *m (phi *m S *m D)) = u *m ((phi *m S)^T *m (phi *m S)) *m D.
    by rewrite trmx_mul !mulmxA.
  by rewrite uM -fE.
have scal (n : nat) (a b : 'rV[R]_n) : dot a b = (a *m b^T) 0 0.
  by rewrite mxE; apply: eq_bigr => j _; rewrite mxE.
by rewrite !scal trmx_mul mulmxA.
Qed.

End Extended.
