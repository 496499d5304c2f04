(******************************************************************************)
(* C21, leverage: how far weights of nearly least cost can move the answer at *)
(* one input, the features being fixed.                                       *)
(*                                                                            *)
(* phi are the features of the training inputs, one row each; f those of the  *)
(* one input; l the penalties of the weights, each 0 or more (all 0: least    *)
(* squares; all equal: ridge; one of them 0: ridge with a free intercept).    *)
(*                                                                            *)
(*       cost a == J(a) = sum_i |phi_i a - y_i|^2 + sum_j l_j |a_j|^2, for    *)
(*                 weights a with one row a_j for each feature                *)
(*         gram == M = phi^T phi + diag l                                     *)
(* cost_minimal a == no weights have a lower cost                             *)
(*      bil A B == tr(A^T M B)                                                *)
(*    lever f h == h is the leverage of f: h = u . f for some u with u M = f  *)
(*   C21_normal == a is minimal iff M a = phi^T y                             *)
(* C21_expansion == J(a) = J(a0) + tr((a - a0)^T M (a - a0)) for a0 minimal   *)
(*    C21_bound == |f a - f a0|^2 <= h (J(a) - J(a0)), for every a            *)
(* C21_attained == for every w some a has f a = f a0 + w and                  *)
(*                 J(a) = J(a0) + |w|^2 / h                                   *)
(*   C21_unique == f has at most one leverage                                 *)
(*      C21_gt0 == it is above 0 unless f is 0                                *)
(* C21_dichotomy == f has one iff f is in the row space of M                  *)
(*     C21_free == else weights of the same cost and training outputs move    *)
(*                 f a by w, for every w                                      *)
(* C21_row_space == if no weight is penalised that is the row space of phi    *)
(* C21_penalised == if all weights are, every f is in the row space of M      *)
(* C21_constant == with a constant feature h is at least 1/(N + its penalty)  *)
(* C21_repeated == features that occur k times in training have k h <= 1      *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Traces.

Variable R : realFieldType.

Lemma tr_dot r m (A B : 'M[R]_(r, m)) :
  \tr (A^T *m B) = \sum_i dot (row i A) (row i B).
Proof.
rewrite /mxtrace.
under eq_bigr => k _ do rewrite mxE.
rewrite exchange_big; apply: eq_bigr => i _; apply: eq_bigr => k _.
by rewrite !mxE.
Qed.

Lemma normsqD m (u v : 'rV[R]_m) :
  normsq (u + v) = normsq u + dot u v *+ 2 + normsq v.
Proof.
rewrite /normsq /dot -sumrMnl -!big_split; apply: eq_bigr => k _ /=.
by rewrite mxE; move: (u 0 k) (v 0 k) => s t; ring.
Qed.

End Traces.

Section Price.

Variables (R : realFieldType) (p m N : nat).
Variables (phi : 'M[R]_(N, p)) (y : 'I_N -> 'rV[R]_m) (l : 'I_p -> R).
Hypothesis l_ge0 : forall j, 0 <= l j.
Implicit Types (a b : 'M[R]_(p, m)) (f u : 'rV[R]_p) (w : 'rV[R]_m) (h : R).

Definition cost a : R :=
  \sum_i normsq (row i phi *m a - y i) + \sum_j l j * normsq (row j a).

Definition cost_minimal a := forall a', cost a <= cost a'.

Definition gram : 'M[R]_p := phi^T *m phi + diag_mx (\row_j l j).

Definition bil r (A B : 'M[R]_(p, r)) : R := \tr (A^T *m gram *m B).

Definition lever f h := exists2 u, u *m gram = f & h = dot u f.

Let ymat : 'M[R]_(N, m) := \matrix_i y i.

Lemma gram_sym : gram^T = gram.
Proof. by rewrite /gram linearD /= trmx_mul trmxK tr_diag_mx. Qed.

Lemma bilC r (A B : 'M[R]_(p, r)) : bil A B = bil B A.
Proof. by rewrite /bil -mxtrace_tr !trmx_mul trmxK gram_sym mulmxA. Qed.

Lemma bilDr r (A B C : 'M[R]_(p, r)) : bil A (B + C) = bil A B + bil A C.
Proof. by rewrite /bil mulmxDr linearD. Qed.

Lemma bilZr r t (A B : 'M[R]_(p, r)) : bil A (t *: B) = t * bil A B.
Proof. by rewrite /bil -scalemxAr linearZ. Qed.

Lemma bilDl r (A B C : 'M[R]_(p, r)) : bil (A + B) C = bil A C + bil B C.
Proof. by rewrite !(bilC _ C) bilDr. Qed.

Lemma bilZl r t (A B : 'M[R]_(p, r)) : bil (t *: A) B = t * bil A B.
Proof. by rewrite !(bilC _ B) bilZr. Qed.

Lemma bilZ r t (A : 'M[R]_(p, r)) : bil (t *: A) (t *: A) = t ^+ 2 * bil A A.
Proof. by rewrite bilZr bilZl mulrA. Qed.

Lemma bilB r (A B : 'M[R]_(p, r)) :
  bil (A - B) (A - B) = bil A A - bil A B *+ 2 + bil B B.
Proof.
rewrite -scaleN1r bilDr !bilDl !bilZr !bilZl (bilC B A).
by move: (bil A A) (bil A B) (bil B B) => s t x; ring.
Qed.

Lemma gram_mul r (A B : 'M[R]_(p, r)) : A^T *m gram *m B
  = (phi *m A)^T *m (phi *m B) + A^T *m (diag_mx (\row_j l j) *m B).
Proof. by rewrite /gram mulmxDr mulmxDl trmx_mul !mulmxA. Qed.

Lemma bil_sum r (A B : 'M[R]_(p, r)) : bil A B
  = \sum_i dot (row i phi *m A) (row i phi *m B)
    + \sum_j l j * dot (row j A) (row j B).
Proof.
rewrite /bil gram_mul linearD /= !tr_dot; congr (_ + _).
  by apply: eq_bigr => i _; rewrite !row_mul.
apply: eq_bigr => j _; rewrite -dotZr; congr dot.
by apply/rowP => k; rewrite !mxE (bigD1 j) //= !mxE eqxx mulr1n big1 ?addr0 //
  => i /negbTE ij; rewrite !mxE eq_sym ij mulr0n mul0r.
Qed.

Lemma bil_sq r (A : 'M[R]_(p, r)) : bil A A
  = \sum_i normsq (row i phi *m A) + \sum_j l j * normsq (row j A).
Proof.
by rewrite bil_sum; congr (_ + _); apply: eq_bigr => i _; rewrite dot_normsq.
Qed.

Lemma bil_ge0 r (A : 'M[R]_(p, r)) : 0 <= bil A A.
Proof.
rewrite bil_sq addr_ge0 ?sumr_ge0 // => i _; first exact: normsq_ge0.
by rewrite mulr_ge0 ?normsq_ge0.
Qed.

Lemma bil_eq0 r (A : 'M[R]_(p, r)) : bil A A = 0 ->
  phi *m A = 0 /\ forall j, l j * normsq (row j A) = 0.
Proof.
have s_ge0 j : 0 <= l j * normsq (row j A) by rewrite mulr_ge0 ?normsq_ge0.
rewrite bil_sq => /eqP; rewrite paddr_eq0; last 2 first.
- by apply: sumr_ge0 => i _; apply: normsq_ge0.
- by apply: sumr_ge0 => j _.
rewrite !psumr_eq0 // => [/andP[/allP p0 /allP l0]|i _]; last first.
  exact: normsq_ge0.
split=> [|j]; last by apply/eqP/l0; rewrite mem_index_enum.
apply/row_matrixP => i; rewrite row0 row_mul; apply/eqP.
by rewrite -normsq_eq0; apply: p0; rewrite mem_index_enum.
Qed.

Lemma bil_gram0 r (A : 'M[R]_(p, r)) : bil A A = 0 -> gram *m A = 0.
Proof.
move=> /bil_eq0[p0 l0]; rewrite /gram mulmxDl -mulmxA p0 mulmx0 add0r.
apply/row_matrixP => j; rewrite row0; apply/rowP => k; rewrite !mxE.
rewrite (bigD1 j) //= !mxE eqxx mulr1n big1 ?addr0; last first.
  by move=> i /negbTE ij; rewrite !mxE eq_sym ij mulr0n mul0r.
have /eqP := l0 j; rewrite mulf_eq0 normsq_eq0.
case/orP=> [/eqP->|/eqP/rowP/(_ k)]; first by rewrite mul0r.
by rewrite !mxE => ->; rewrite mulr0.
Qed.

Lemma cost_add a b : cost (a + b) = cost a
  + \tr (b^T *m (gram *m a - phi^T *m ymat)) *+ 2 + bil b b.
Proof.
have -> : \tr (b^T *m (gram *m a - phi^T *m ymat))
    = \sum_i dot (row i phi *m b) (row i phi *m a - y i)
      + \sum_j l j * dot (row j b) (row j a).
  rewrite mulmxBr mulmxA linearB /= -/(bil b a) bil_sum mulmxA -trmx_mul.
  rewrite tr_dot addrAC -sumrB; congr (_ + _); apply: eq_bigr => i _.
  by rewrite row_mul rowK dotBr.
have data : \sum_i normsq (row i phi *m (a + b) - y i)
    = \sum_i normsq (row i phi *m a - y i)
      + (\sum_i dot (row i phi *m b) (row i phi *m a - y i)) *+ 2
      + \sum_i normsq (row i phi *m b).
  rewrite -sumrMnl -!big_split; apply: eq_bigr => i _ /=.
  by rewrite mulmxDr addrAC normsqD dotC.
have size : \sum_j l j * normsq (row j (a + b))
    = \sum_j l j * normsq (row j a)
      + (\sum_j l j * dot (row j b) (row j a)) *+ 2
      + \sum_j l j * normsq (row j b).
  rewrite -sumrMnl -!big_split; apply: eq_bigr => j _ /=.
  by rewrite linearD /= normsqD dotC mulrDr mulrDr mulrnAr.
by rewrite bil_sq /cost data size; ring.
Qed.

Theorem C21_normal a : cost_minimal a <-> gram *m a = phi^T *m ymat.
Proof.
split=> [a_min|E a']; last first.
  rewrite -[a'](subrK a) addrC cost_add E subrr mulmx0 mxtrace0 mul0rn addr0.
  by rewrite lerDl bil_ge0.
apply/eqP; rewrite -subr_eq0; set g := _ - _.
pose s := \sum_i normsq (row i g); pose q := bil g g.
have gg : \tr (g^T *m g) = s.
  by rewrite tr_dot; apply: eq_bigr => i _; rewrite dot_normsq.
have s_ge0 : 0 <= s by apply: sumr_ge0 => i _; apply: normsq_ge0.
have q1_gt0 : 0 < q + 1 by rewrite ltr_pwDr ?ltr01 ?bil_ge0.
have := a_min (a + - (s / (q + 1)) *: g); rewrite cost_add bilZ -/g.
rewrite linearZ /= -scalemxAl linearZ /= gg -/q -addrA lerDl => le0.
have {le0} : 0 <= - (s ^+ 2 * (q + 2%:R)).
  rewrite -(pmulr_lge0 _ (_ : 0 < (q + 1) ^- 2)) ?invr_gt0 ?exprn_gt0 //.
  apply: le_trans le0 _; rewrite le_eqVlt; apply/orP; left; apply/eqP.
  by field; rewrite gt_eqF.
have q2_gt0 : 0 < q + 2%:R by rewrite ltr_pwDr ?ltr0n ?bil_ge0.
rewrite oppr_ge0 pmulr_lle0 // => s_le0.
have /eqP : s = 0.
  by apply/eqP; rewrite -sqrf_eq0 eq_le s_le0 sqr_ge0.
rewrite psumr_eq0 => [/allP g0|i _]; last exact: normsq_ge0.
apply/eqP/row_matrixP => i; rewrite row0; apply/eqP.
by rewrite -normsq_eq0; apply: g0; rewrite mem_index_enum.
Qed.

Theorem C21_expansion a0 a : cost_minimal a0 ->
  cost a = cost a0 + \tr ((a - a0)^T *m gram *m (a - a0)).
Proof.
move=> /C21_normal E; rewrite -{1}[a](subrK a0) addrC cost_add E.
by rewrite subrr mulmx0 mxtrace0 mul0rn addr0.
Qed.

(* Leverage                                                                   *)

Section Lever.

Variables (f u : 'rV[R]_p) (h : R).
Hypothesis uM : u *m gram = f.
Hypothesis hE : h = dot u f.

Lemma bil_u r (B : 'M[R]_(p, r)) (w : 'rV[R]_r) :
  bil B (u^T *m w) = dot (f *m B) w.
Proof.
rewrite /bil mulmxA -[B^T *m _ *m _](mulmxA) -[gram]gram_sym -trmx_mul uM.
by rewrite -trmx_mul tr_dot big_ord1 !row_id.
Qed.

Lemma f_u : f *m u^T = h%:M.
Proof.
apply/matrixP => i j; rewrite !ord1 !mxE eqxx mulr1n hE.
by apply: eq_bigr => k _; rewrite mxE mulrC.
Qed.

Lemma bil_uu r (w : 'rV[R]_r) : bil (u^T *m w) (u^T *m w) = h * normsq w.
Proof. by rewrite bil_u mulmxA f_u mul_scalar_mx dotZl dot_normsq. Qed.

Lemma h_ge0 : 0 <= h.
Proof.
have := bil_ge0 (u^T *m (1 : 'rV[R]_1)); rewrite bil_uu.
by rewrite /normsq big_ord1 mxE expr1n mulr1.
Qed.

Lemma h_eq0 : h = 0 -> f = 0.
Proof.
move=> h0; rewrite -uM -[u]trmxK -gram_sym -trmx_mul bil_gram0 ?trmx0 //.
by rewrite -[u^T]mulmx1 bil_uu h0 mul0r.
Qed.

Lemma lever_bound r (B : 'M[R]_(p, r)) : normsq (f *m B) <= h * bil B B.
Proof.
have [h0|h_neq0] := eqVneq h 0.
  rewrite h0 mul0r (h_eq0 h0) mul0mx /normsq big1 // => k _.
  by rewrite mxE expr0n.
have h_gt0 : 0 < h by rewrite lt0r h_neq0 h_ge0.
have := bil_ge0 (h *: B - u^T *m (f *m B)).
rewrite bilB bilZ bil_uu bil_u -scalemxAr dotZl dot_normsq => sq_ge0.
rewrite -subr_ge0 -(pmulr_rge0 _ h_gt0); apply: le_trans sq_ge0 _.
rewrite le_eqVlt; apply/orP; left; apply/eqP.
by move: (bil B B) (normsq (f *m B)) => s t; ring.
Qed.

End Lever.

Theorem C21_unique f h h' : lever f h -> lever f h' -> h = h'.
Proof.
move=> [u uM hE] [u' u'M h'E].
have key u1 u2 t : u1 *m gram = f -> t = dot u2 f -> bil u2^T u1^T = t.
  move=> u1M tE; rewrite -[u1^T]mulmx1 (bil_u u1M) (f_u tE).
  by rewrite /dot big_ord1 !mxE eqxx mulr1n mulr1.
by rewrite -(key u' u h u'M hE) bilC; apply: key.
Qed.

Theorem C21_gt0 f h : lever f h -> (0 < h) = (f != 0).
Proof.
move=> [u uM hE]; rewrite lt0r (h_ge0 uM hE) andbT; congr (~~ _).
apply/eqP/eqP; first exact: (h_eq0 uM hE).
by move=> f0; rewrite hE f0 dot0r.
Qed.

Theorem C21_bound f h a0 a : lever f h -> cost_minimal a0 ->
  normsq (f *m a - f *m a0) <= h * (cost a - cost a0).
Proof.
move=> [u uM hE] a0_min; rewrite (C21_expansion a a0_min) addrAC subrr add0r.
by rewrite -mulmxBr; apply: (lever_bound uM hE).
Qed.

Theorem C21_attained f h a0 w : lever f h -> 0 < h -> cost_minimal a0 ->
  exists a, f *m a = f *m a0 + w /\ cost a = cost a0 + normsq w / h.
Proof.
move=> [u uM hE] h_gt0 a0_min; exists (a0 + h^-1 *: (u^T *m w)); split.
  rewrite mulmxDr -scalemxAr mulmxA (f_u hE) mul_scalar_mx scalerA mulVf.
    by rewrite scale1r.
  by rewrite gt_eqF.
rewrite (C21_expansion _ a0_min) addrAC subrr add0r -/(bil _ _) bilZ.
rewrite (bil_uu uM hE); congr (_ + _).
by field; rewrite gt_eqF.
Qed.

(* What the row space decides                                                 *)

Lemma off_row_space r (A : 'M[R]_(r, p)) f : ~~ (f <= A)%MS ->
  exists2 b : 'cV[R]_p, A *m b = 0 & f *m b = 1.
Proof.
rewrite submxE => /rV0Pn[k]; set c := (_ *m _) 0 k => c_neq0.
exists (c^-1 *: (cokermx A *m delta_mx k 0)); rewrite -scalemxAr.
  by rewrite (mulmxA A) mulmx_coker mul0mx scaler0.
rewrite (mulmxA f) -colE; apply/matrixP => i j; rewrite !ord1 [RHS]mxE eqxx.
have -> : (c^-1 *: col k (f *m cokermx A)) 0 0 = c^-1 * c.
  by rewrite /c; move: (f *m _) => v; rewrite !mxE.
by rewrite mulVf.
Qed.

Theorem C21_free f a w : ~~ (f <= gram)%MS -> exists a',
  [/\ cost a' = cost a, phi *m a' = phi *m a & f *m a' = f *m a + w].
Proof.
move=> /off_row_space[b gb fb]; exists (a + b *m w).
have g0 : gram *m (b *m w) = 0 by rewrite mulmxA gb mul0mx.
have b0 : bil (b *m w) (b *m w) = 0 by rewrite /bil -mulmxA g0 mulmx0 mxtrace0.
have [p0 _] := bil_eq0 b0.
split; last 1 first.
- by rewrite mulmxDr mulmxA fb mul1mx.
- rewrite cost_add b0 addr0 mulmxBr linearB /= !mulmxA -gram_sym -trmx_mul g0.
  by rewrite -trmx_mul p0 !trmx0 !mul0mx !mxtrace0 subr0 mul0rn addr0.
- by rewrite mulmxDr p0 addr0.
Qed.

Theorem C21_dichotomy f : (exists h, lever f h) <-> (f <= gram)%MS.
Proof.
split=> [[h [u <- _]]|/submxP[u ->]]; first exact: submxMl.
by exists (dot u (u *m gram)), u.
Qed.

Lemma bil_coker : bil (cokermx gram) (cokermx gram) = 0.
Proof. by rewrite /bil -mulmxA mulmx_coker mulmx0 mxtrace0. Qed.

Theorem C21_row_space f : (forall j, l j = 0) -> (f <= gram)%MS = (f <= phi)%MS.
Proof.
move=> l0; have gramE : gram = phi^T *m phi.
  rewrite /gram (_ : diag_mx _ = 0) ?addr0 //; apply/matrixP => i j.
  by rewrite !mxE l0 mul0rn.
apply/idP/idP => /submx_trans -> //; first by rewrite gramE submxMl.
by rewrite submxE; apply/eqP; have [] := bil_eq0 bil_coker.
Qed.

Theorem C21_penalised f : (forall j, 0 < l j) -> (f <= gram)%MS.
Proof.
move=> l_gt0; rewrite submxE (_ : cokermx gram = 0) ?mulmx0 //.
have [_ l0] := bil_eq0 bil_coker.
apply/row_matrixP => j; rewrite row0; apply/eqP.
have /eqP := l0 j; rewrite mulf_eq0 normsq_eq0.
by rewrite gt_eqF.
Qed.

Theorem C21_constant f h k0 : lever f h -> (forall i, phi i k0 = 1) ->
  f 0 k0 = 1 -> 1 <= h * (N%:R + l k0).
Proof.
move=> [u uM hE] phi1 f1; pose b : 'cV[R]_p := delta_mx k0 0.
have mul_b (v : 'rV[R]_p) : (v *m b) 0 0 = v 0 k0 by rewrite /b -colE mxE.
have := lever_bound uM hE b; rewrite normsq1 mul_b f1 expr1n bil_sq.
rewrite (eq_bigr (fun=> 1)) => [|i _]; last first.
  by rewrite normsq1 mul_b mxE phi1 expr1n.
rewrite sumr_const card_ord (bigD1 k0) //= big1 => [|j /negbTE jk]; last first.
  by rewrite normsq1 !mxE jk expr0n mulr0.
by rewrite normsq1 !mxE !eqxx expr1n mulr1 addr0.
Qed.

Theorem C21_repeated f h : lever f h ->
  #|[pred i | row i phi == f]|%:R * h <= 1.
Proof.
move=> [u uM hE]; have [h0|h_neq0] := eqVneq h 0.
  by rewrite h0 mulr0 ler01.
have h_gt0 : 0 < h by rewrite lt0r h_neq0 (h_ge0 uM hE).
have := bil_uu uM hE (1 : 'rV[R]_1); rewrite mulmx1 normsq1 mxE expr1n mulr1 bil_sq.
rewrite (bigID [pred i | row i phi == f]) /=.
rewrite (eq_bigr (fun=> h ^+ 2)) => [|i /eqP->]; last first.
  by rewrite (f_u hE) normsq1 mxE.
rewrite sumr_const -addrA => E; rewrite -(ler_pM2r h_gt0) mul1r -mulrA.
rewrite -[X in _ <= X]E -expr2 mulr_natl lerDl addr_ge0 ?sumr_ge0 // => i _.
  exact: normsq_ge0.
by rewrite mulr_ge0 ?normsq_ge0.
Qed.

End Price.
