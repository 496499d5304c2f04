(******************************************************************************)
(* Checkers of the features (1, phi_1, .., phi_n) of a hidden layer: their    *)
(* rank on the inputs, what they depend on there, the leverage of a point,    *)
(* and whether its answer is free. Units that send nothing (m = 0) stand for  *)
(* a layer whose outputs are not asked for.                                   *)
(*                                                                            *)
(*       lfeat us x == (1, phi_1(x), .., phi_n(x))                            *)
(*    lcomb k bs vs == the sum of b_i v_i, vectors of length k                *)
(* check_full_rank == the features have full column rank: bss times them is 1 *)
(* check_dependency == some combination of them, not trivial, is 0 at all     *)
(*                     inputs                                                 *)
(*      check_free == and is not 0 at x: its features are outside their row   *)
(*                     space                                                  *)
(*     check_lever == h is the leverage of x, by u M = its features           *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_signs check_gaps.
From absence Require Import c9_full_rank c21_leverage c21_readout_price.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition lfeat (us : seq (unit Q)) x : seq Q :=
  one :: [seq lactivity un.1.1 un.1.2 x | un <- us].

Definition lcomb k (bs : seq Q) (vs : seq (seq Q)) :=
  lsum k [seq lscale Qops p.1 p.2 | p <- zip bs vs].

(* Row k of the unit matrix of size n.                                        *)
Definition lunit_row n k : seq Q := mkseq (fun i => if k == i then one else Q0) n.

(* The penalties of u: none of its first entry.                               *)
Definition lpenalised l (u : seq Q) : seq Q :=
  if u is _ :: u' then Q0 :: lscale Qops l u' else [::].

Section Lists.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs : seq (seq Q)).
Let table := [seq lfeat us z | z <- zs].

Definition check_table := fits d m n us c && sized d N zs.

Definition check_full_rank (bss : seq (seq Q)) :=
  [&& check_table, all (fun bs => size bs == N) bss
    & all (fun k => lsame (lcomb n.+1 (nth [::] bss k) table)
                          (lunit_row n.+1 k)) (iota 0 n.+1)].

Definition vanishes (vs : seq Q) := all (fun f => Qeq_bool (ldot Qops vs f) Q0).

Definition check_dependency vs :=
  [&& check_table, size vs == n.+1, has (fun v => ~~ Qeq_bool v Q0) vs
    & vanishes vs table].

Definition check_free vs x :=
  [&& check_table, size vs == n.+1, size x == d, vanishes vs table
    & ~~ Qeq_bool (ldot Qops vs (lfeat us x)) Q0].

Definition check_lever l x u h :=
  [&& check_table, size x == d, size u == n.+1,
      lsame (lvadd Qops (lcomb n.+1 [seq ldot Qops u f | f <- table] table)
                        (lpenalised l u)) (lfeat us x)
    & Qeq_bool h (ldot Qops u (lfeat us x))].

End Lists.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Arguments int_of_Z : simpl never.

Lemma ratio_one : ratio one = 1.
Proof. by rewrite ratio_nat. Qed.

Lemma ldot_vec k u v : size u = k -> size v = k ->
  ratio (ldot Qops u v) = dot (vec k u) (vec k v).
Proof.
by move=> u_k v_k; rewrite -ldot_row (row_vec _ u_k) (row_vec _ v_k) ldot_ratio.
Qed.

(* From what the lists sum to, to the vectors they stand for.                 *)
Lemma vec_row k (s : seq Q) (v : 'rV[R]_k) : map ratio s = row v -> vec k s = v.
Proof.
move=> sv; have s_k : size s = k by rewrite -(size_map ratio) sv size_map size_enum_ord.
by apply: row_inj; rewrite row_vec.
Qed.

Lemma size_lsum k (vs : seq (seq Q)) :
  all (fun v => size v == k) vs -> size (lsum k vs) = k.
Proof.
move=> /(lsum_vec R) E.
by rewrite -(size_map ratio) E size_map size_enum_ord.
Qed.

Lemma vec_lcomb k N (bs : seq Q) (vs : seq (seq Q)) :
    size bs = N -> sized k N vs ->
  size (lcomb k bs vs) = k /\
  vec k (lcomb k bs vs)
  = \sum_(i < N) ratio (nth Q0 bs i) *: vec k (nth [::] vs i).
Proof.
move=> bs_N vs_k; have /andP[/eqP vs_N _] := vs_k.
have pairs : zip bs vs
    = map (fun i : 'I_N => (nth Q0 bs i, nth [::] vs i)) (enum 'I_N).
  have N_zip : size (zip bs vs) = N by rewrite size_zip bs_N vs_N minnn.
  rewrite -[LHS](nth_enum (Q0, [::]) N_zip); apply: eq_map => i.
  by rewrite nth_zip ?bs_N.
have all_k : all (fun v => size v == k) [seq lscale Qops p.1 p.2 | p <- zip bs vs].
  rewrite pairs -map_comp all_map; apply/allP=> i _ /=.
  by rewrite size_map (sized_nth vs_k).
split; first exact: size_lsum.
apply: vec_row; rewrite /lcomb lsum_vec //; congr row.
rewrite pairs -map_comp big_map big_enum; apply: eq_bigr => i _ /=.
by rewrite vec_lscale // (sized_nth vs_k).
Qed.

Section Table.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs : seq (seq Q)).
Let theta := qnet R d m n us c.
Let z := points R d N zs.
Let table := [seq lfeat us z | z <- zs].

Lemma size_lfeat x : fits d m n us c -> size (lfeat us x) = n.+1.
Proof. by case/and3P=> _ /eqP us_n _; rewrite /= size_map us_n. Qed.

Lemma act_correct (j : 'I_n) x : fits d m n us c -> size x = d ->
  ratio (lactivity (nth lunit0 us j).1.1 (nth lunit0 us j).1.2 x)
  = act theta j (vec d x).
Proof.
case/and3P=> _ /eqP us_n /all_nthP ok x_d.
have := ok lunit0 j; rewrite us_n => /(_ (ltn_ord j)) /andP[/eqP w_d _].
by rewrite ratio_relu (height_correct R _ w_d x_d).
Qed.

Lemma lfeat_correct x : fits d m n us c -> size x = d ->
  vec n.+1 (lfeat us x) = feat theta (vec d x).
Proof.
move=> ok x_d; apply/rowP=> k; rewrite !mxE; case: (unliftP ord0 k) => [j|] -> /=.
  have /and3P[_ /eqP us_n _] := ok.
  by rewrite (nth_map lunit0) ?us_n // act_correct.
by rewrite ratio_one.
Qed.

Hypothesis tableP : check_table d m n N us c zs.

Let ok : fits d m n us c. Proof. by case/andP: tableP. Qed.
Let z_d (i : 'I_N) : size (nth [::] zs i) = d.
Proof. by case/andP: tableP => _ /sized_nth. Qed.

Lemma zs_N : size zs = N.
Proof. by case/andP: tableP => _ /andP[/eqP]. Qed.

Lemma sized_table : sized n.+1 N table.
Proof.
rewrite /sized size_map zs_N eqxx andTb; apply/(all_nthP [::]) => i.
by rewrite size_map => i_zs; rewrite (nth_map [::]) // size_lfeat.
Qed.

Lemma nth_table (i : 'I_N) : vec n.+1 (nth [::] table i) = feat theta (z i).
Proof. by rewrite (nth_map [::]) ?zs_N // lfeat_correct. Qed.

Lemma lcomb_table bs : size bs = N ->
  size (lcomb n.+1 bs table) = n.+1 /\
  vec n.+1 (lcomb n.+1 bs table)
  = (\row_i ratio (nth Q0 bs i)) *m features z theta.
Proof.
move=> bs_N; have [-> ->] := vec_lcomb bs_N sized_table; split=> //.
rewrite mulmx_sum_row; apply: eq_bigr => i _.
by rewrite mxE row_features nth_table.
Qed.

Lemma vanishesP vs : size vs = n.+1 -> vanishes vs table ->
  features z theta *m (vec n.+1 vs)^T = 0.
Proof.
move=> vs_n /all_nthP zero; apply/matrixP=> i j; rewrite ord1.
transitivity (dot (vec n.+1 vs) (feat theta (z i))).
  rewrite -row_features mxE; apply: eq_bigr => k _.
  by rewrite !mxE mulrC.
have := zero [::] i; rewrite size_map zs_N => /(_ (ltn_ord i)).
rewrite -(ratioP R) ratio0 (ldot_vec vs_n); last exact: (sized_nth sized_table).
by rewrite nth_table mxE => /eqP.
Qed.

End Table.

Section Facts.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs : seq (seq Q)).
Let theta := qnet R d m n us c.
Let z := points R d N zs.

Theorem C9_check_full_rank bss : check_full_rank d m n N us c zs bss ->
  \rank (features z theta) = n.+1.
Proof.
case/and3P=> ok /all_nthP bss_N rows; apply/eqP.
rewrite -[_ == _]/(row_full _); apply/row_fullP.
exists (\matrix_(k < n.+1) \row_(i < N) ratio (nth Q0 (nth [::] bss k) i)).
apply/row_matrixP=> k; rewrite row_mul rowK.
have /allP/(_ (val k)) := rows; rewrite mem_iota /= add0n ltn_ord => /(_ isT).
have [k_bss|bss_k] := ltnP k (size bss); last first.
  rewrite nth_default // /lcomb.
  have -> : zip ([::] : seq Q) [seq lfeat us z | z <- zs] = [::] by case: zs.
  move/(vec_same R n.+1)/rowP/(_ k); rewrite !mxE nth_mkseq // eqxx ratio_one.
  by rewrite nth_nseq ltn_ord ratio0 => /esym/eqP; rewrite oner_eq0.
have /eqP b_N := bss_N [::] k k_bss.
have [_ <-] := lcomb_table ok b_N => /(vec_same R n.+1) ->.
apply/rowP=> i; rewrite !mxE nth_mkseq // -[val k == val i]/(k == i).
by case: (k == i); rewrite ?ratio_one ?ratio0.
Qed.

Theorem C9_check_dependency vs : check_dependency d m n N us c zs vs ->
  [/\ vec n.+1 vs != 0, features z theta *m (vec n.+1 vs)^T = 0
    & (\rank (features z theta) < n.+1)%N].
Proof.
case/and4P=> ok /eqP vs_n some zero.
have v0 : vec n.+1 vs != 0.
  apply: contraL some => /eqP/rowP all0; rewrite -all_predC.
  apply/(all_nthP Q0)=> k; rewrite vs_n => k_n /=; rewrite negbK.
  by have := all0 (Ordinal k_n); rewrite !mxE -(ratioP R) ratio0 => ->.
have vF := vanishesP ok vs_n zero; split=> //.
rewrite ltn_neqAle rank_leq_col andbT; apply: contra v0 => full.
have := vF; rewrite -[X in X = 0]trmxK trmx_mul trmxK => /(congr1 trmx).
rewrite trmxK trmx0 => kerF; apply/eqP; apply: (row_free_inj (A := (features z theta)^T)).
  by rewrite /row_free mxrank_tr.
by rewrite kerF mul0mx.
Qed.

Theorem C21_check_free vs x : check_free d m n N us c zs vs x ->
  ~~ (feat theta (vec d x) <= features z theta)%MS.
Proof.
case/and5P=> ok /eqP vs_n /eqP x_d zero there; apply/negP => /submxP[D xD].
case/negP: there; rewrite -(ratioP R) ratio0 (ldot_vec vs_n); last first.
  by apply: size_lfeat; case/andP: ok; eauto.
have /andP[fit _] := ok; rewrite (lfeat_correct fit x_d).
have := congr1 (mulmx^~ (vec n.+1 vs)^T) xD.
rewrite -mulmxA (vanishesP ok vs_n zero) mulmx0 => /matrixP/(_ 0 0).
rewrite mxE [in X in _ = X]mxE => <-; apply/eqP; apply: eq_bigr => k _.
by rewrite !mxE mulrC.
Qed.

Theorem C21_check_lever l x u h : check_lever d m n N us c zs l x u h ->
  lever (features z theta) (penalties (ratio l) (p := n)) (feat theta (vec d x))
        (ratio h).
Proof.
case/and5P=> ok /eqP x_d /eqP u_n same; rewrite -(ratioP R) => /eqP ->.
have /andP[fit _] := ok.
exists (vec n.+1 u); last first.
  by rewrite (ldot_vec u_n (size_lfeat _ fit)) (lfeat_correct fit x_d).
rewrite -(lfeat_correct fit x_d) -(vec_same R n.+1 same).
set image := [seq _ | f <- _].
have image_N : size image = N by rewrite !size_map (zs_N ok).
have [comb_n combE] := lcomb_table ok image_N.
have pen_n : size (lpenalised l u) = n.+1.
  by case: (u) u_n => //= ? ?; rewrite size_map.
rewrite (vec_lvadd R comb_n pen_n) combE /gram mulmxDr mulmxA.
congr (_ *m _ + _).
  apply/rowP=> i; rewrite !mxE (nth_map [::]) ?size_map ?(zs_N ok) //.
  rewrite (ldot_vec u_n); last exact: (sized_nth (sized_table ok)).
  rewrite (nth_table ok) -row_features; apply: eq_bigr => k _.
  by rewrite !mxE.
apply/rowP=> k; rewrite mul_mx_diag !mxE.
case: (u) u_n => //= q u' [u'_n]; rewrite /penalties.
case: (unliftP ord0 k) => [j|] -> /=.
  by rewrite (nth_map Q0) ?u'_n // ratioM mulrC.
by rewrite ratio0 mulr0.
Qed.

End Facts.

End Correct.
