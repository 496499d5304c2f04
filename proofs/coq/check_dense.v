(******************************************************************************)
(* What a net computes is continuous, and an affine function that is no       *)
(* constant on a box is 0 almost nowhere there. So what holds on the box off  *)
(* finitely many such functions holds on all of it.                           *)
(*                                                                            *)
(*  near r x y == the inputs differ by at most r in each coordinate           *)
(* moving box f == the form changes along a side of the box                   *)
(*   everywhere == a form of the k-th hidden layer that has one value on the  *)
(*           box wherever no form of a list is 0 has it everywhere there      *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep check_integers check_forms
  check_relaxed.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Definition range0 : range := (Q0, Q0).

Definition moving (box : seq range) (f : form) :=
  exists i, [/\ (i < size box)%N, Qeq_bool (nth range0 box i).1 (nth range0 box i).2 = false
    & Z.eqb (nth Z0 (coefs f) i) Z0 = false].

Section Dense.

Variable R : realFieldType.
Local Notation zr := (zr R).
Local Notation zp := (zp R).
Local Notation ratio := (ratio R).
Local Arguments int_of_Z : simpl never.
Implicit Types (x y : seq R) (r s : R).

Definition near r x y := size x = size y /\ forall i, `|nth 0 x i - nth 0 y i| <= r.

Lemma near_ge0 r x y : near r x y -> 0 <= r.
Proof. by case=> _ /(_ 0%N); apply: le_trans. Qed.

Lemma near_trans r s x y (z : seq R) : near r x y -> near s y z -> near (r + s) x z.
Proof.
move=> [size_xy xy] [size_yz yz]; split=> [|i]; first by rewrite size_xy.
rewrite -(subrKA (nth 0 y i)).
exact: le_trans (ler_normD _ _) (lerD (xy i) (yz i)).
Qed.

(* Continuity, with a constant                                                *)

Lemma rdot_near c : exists2 L, 0 <= L
  & forall r x y, near r x y -> `|rdot c x - rdot c y| <= L * r.
Proof.
elim: c => [|a c [L L0 IH]]; first by exists 0 => // r x y _; rewrite subrr normr0 mul0r.
exists (`|zr a| + L) => [|r x y xy]; first by rewrite addr_ge0.
have r0 := near_ge0 xy; have [size_xy each_xy] := xy.
case: x y size_xy each_xy {xy} => [|t x] [|t' y] //= => [_ _|[size_xy] each_xy].
  by rewrite subrr normr0 mulr_ge0 ?addr_ge0.
rewrite opprD addrACA -mulrBr mulrDl; apply: le_trans (ler_normD _ _) _.
apply: lerD; first by rewrite normrM ler_wpM2l //; apply: (each_xy 0%N).
by apply: IH; split=> // i; apply: (each_xy i.+1).
Qed.

Lemma relu_near s t : `|relu s - relu t| <= `|s - t|.
Proof.
have [s0|s0] := leP 0 s; have [t0|t0] := leP 0 t.
- by rewrite !relu_id.
- rewrite relu_id // (relu_0 (ltW t0)) subr0 !ger0_norm ?subr_ge0 ?(le_trans (ltW t0)) //.
  by rewrite lerDl oppr_ge0 ltW.
- rewrite (relu_0 (ltW s0)) relu_id // sub0r normrN distrC !ger0_norm ?subr_ge0 ?(le_trans (ltW s0)) //.
  by rewrite lerDl oppr_ge0 ltW.
by rewrite !(relu_0 (ltW _)) // subrr normr0.
Qed.

Lemma sends_near l : exists2 L, 0 <= L
  & forall r x y, near r x y -> near (L * r) (sends l x) (sends l y).
Proof.
rewrite /sends /pres; elim: l.2 => [|wb rows [L L0 IH]] /=.
  by exists 0 => // r x y _; split=> // i; rewrite subrr normr0 mul0r.
have [M M0 row] := rdot_near wb.1; have D0 := zp_gt0 R l.1.
have MD0 : 0 <= M / zp l.1 by rewrite divr_ge0 // ltW.
exists (M / zp l.1 + L) => [|r x y xy]; first by rewrite addr_ge0.
have r0 := near_ge0 xy; have [/= sizes each_] := IH _ _ _ xy; split=> [|[|i]] /=.
- by rewrite sizes.
- apply: le_trans (relu_near _ _) _; rewrite /pre -mulrBl opprD addrACA subrr addr0.
  rewrite normrM normfV (gtr0_norm D0) mulrDl.
  apply: le_trans (_ : M / zp l.1 * r <= _); last by rewrite lerDl mulr_ge0.
  by rewrite mulrAC ler_wpM2r ?invr_ge0 ?(ltW D0) //; apply: row.
by apply: le_trans (each_ i) _; rewrite mulrDl lerDr mulr_ge0.
Qed.

Lemma posts_near net k : exists2 L, 0 <= L
  & forall r x y, near r x y -> near (L * r) (posts net k x) (posts net k y).
Proof.
elim: k => [|k [L L0 IH]] /=; first by exists 1; [exact: ler01|move=> r x y; rewrite mul1r].
have [M M0 top] := sends_near (nth zlayer0 net k).
exists (M * L) => [|r x y xy]; first exact: mulr_ge0.
by rewrite -mulrA; apply/top/IH.
Qed.

Lemma fvalue_near net k f : exists2 L, 0 <= L
  & forall r x y, near r x y -> `|fvalue f (posts net k x) - fvalue f (posts net k y)| <= L * r.
Proof.
have [M M0 low] := posts_near net k; have [L L0 top] := rdot_near (coefs f).
have D0 := zp_gt0 R (denom f).
exists (L / zp (denom f) * M) => [|r x y xy]; first by rewrite mulr_ge0 ?divr_ge0 ?(ltW D0).
rewrite /fvalue opprD addrACA subrr addr0 -mulrBl normrM normfV (gtr0_norm D0).
rewrite -mulrA mulrAC ler_wpM2r ?invr_ge0 ?(ltW D0) //.
exact/top/low.
Qed.

(* A little off finitely many forms                                           *)

Definition moved y i s := set_nth 0 y i (nth 0 y i + s).

Lemma rdot_moved c y i s : (i < size y)%N ->
  rdot c (moved y i s) = rdot c y + zr (nth Z0 c i) * s.
Proof.
rewrite /moved; elim: c y i => [|a c IH] [|t y] [|i] //= i_y; rewrite ?mul0r ?addr0 //.
  by rewrite mulrDr addrAC.
by rewrite IH // addrA.
Qed.

Lemma fvalue_moved f y i s : (i < size y)%N ->
  fvalue f (moved y i s) = fvalue f y + zr (nth Z0 (coefs f) i) / zp (denom f) * s.
Proof. by move=> i_y; rewrite /fvalue rdot_moved // mulrDl addrAC [_ * s / _]mulrAC. Qed.

Lemma still_off fs y i : (i < size y)%N -> (forall f, List.In f fs -> fvalue f y != 0) ->
  exists2 r, 0 < r & forall s, `|s| <= r -> forall f, List.In f fs -> fvalue f (moved y i s) != 0.
Proof.
move=> i_y; elim: fs => [|f fs IH] off; first by exists 1.
have [|r r0 rest] := IH; first by move=> g g_fs; apply: off; right.
have f0 := off f (or_introl erefl); pose a := zr (nth Z0 (coefs f) i) / zp (denom f).
have a1 : 0 < `|a| + 1 by rewrite ltr_wpDl.
exists (Num.min r (`|fvalue f y| / (`|a| + 1))) => [|s]; first by rewrite lt_min r0 divr_gt0 ?normr_gt0.
rewrite le_min => /andP[s_r s_f] g [<-|]; last exact: rest.
rewrite fvalue_moved // -/a; apply/negP; rewrite addr_eq0 => /eqP fy.
move: s_f; rewrite ler_pdivlMr // fy normrN [`|a * s|]normrM mulrDr mulr1 [`|s| * _]mulrC gerDl.
rewrite normr_le0 => /eqP s0.
by move: f0; rewrite fy s0 mulr0 oppr0 eqxx.
Qed.

Lemma within_boxP box x : within_box box x ->
  size x = size box /\ forall i, (i < size box)%N ->
    ratio (nth range0 box i).1 <= nth 0 x i /\ nth 0 x i <= ratio (nth range0 box i).2.
Proof.
case/andP=> /eqP size_x /(all_nthP (range0, 0)) ok; split=> // i i_box.
by have := ok i; rewrite size_zip size_x minnn => /(_ i_box); rewrite nth_zip //= => /andP[].
Qed.

Lemma boxP box x : size x = size box ->
    (forall i, (i < size box)%N ->
      ratio (nth range0 box i).1 <= nth 0 x i /\ nth 0 x i <= ratio (nth range0 box i).2) ->
  within_box box x.
Proof.
move=> size_x ok; rewrite /within_box size_x eqxx; apply/(all_nthP (range0, 0)) => i.
by rewrite size_zip size_x minnn => i_box; rewrite nth_zip //=; have [-> ->] := ok i i_box.
Qed.

Lemma dense box fs x r : (forall f, List.In f fs -> moving box f) -> within_box box x -> 0 < r ->
  exists y, [/\ within_box box y, near r x y & forall f, List.In f fs -> fvalue f y != 0].
Proof.
move=> moves in_box; elim: fs r moves => [|f fs IH] r moves r0.
  by exists x; split=> //; split=> // i; rewrite subrr normr0 ltW.
have two0 : 0 < 2%:R :> R by rewrite ltr0n.
have r2 : 0 < r / 2%:R by rewrite divr_gt0.
have moves' g : List.In g fs -> moving box g by move=> g_fs; apply: moves; right.
have [y [y_box xy off]] := IH _ moves' r2.
have [f0|f0] := eqVneq (fvalue f y) 0; last first.
  exists y; split=> [//||g [<- //|]]; last exact: off.
  have [size_xy each_xy] := xy; split=> // i; apply: le_trans (each_xy i) _.
  by rewrite ler_pdivrMr // mulrC ler_peMl ?ler1n // ltW.
have [i [i_box free /Z.eqb_spec coef]] := moves f (or_introl erefl).
have [size_y each_y] := within_boxP y_box; have [lo hi] := each_y i i_box.
set a := ratio _ in lo; set b := ratio _ in hi.
have ab : a < b.
  rewrite lt_neqAle (le_trans lo hi) andbT.
  by rewrite /a /b (ratioP R) free.
have i_y : (i < size y)%N by rewrite size_y.
have [t t0 rest] := still_off i_y off.
pose s := Num.min (Num.min t (r / 2%:R)) ((b - a) / 2%:R).
have half : 0 < (b - a) / 2%:R by rewrite divr_gt0 // subr_gt0.
have s0 : 0 < s by rewrite !lt_min t0 r2 half.
have [s_t s_r s_b] : [/\ s <= t, s <= r / 2%:R & s <= (b - a) / 2%:R].
  by rewrite /s !ge_min !lexx ?orbT; split.
have [e [size_e in_e]] : exists e, `|e| = s /\ a <= nth 0 y i + e <= b.
  have [low|high] := leP (nth 0 y i) (a + (b - a) / 2%:R).
    exists s; split; first exact: gtr0_norm.
    apply/andP; split; first by rewrite (le_trans lo) // lerDl ltW.
    apply: le_trans (lerD low s_b) _; rewrite -addrA -mulrDl.
    by rewrite le_eqVlt; apply/orP; left; apply/eqP; field.
  exists (- s); split; first by rewrite normrN gtr0_norm.
  apply/andP; split; last by rewrite (le_trans _ hi) // gerDl oppr_le0 ltW.
  by rewrite lerBrDr (le_trans _ (ltW high)) // lerD2l.
exists (moved y i e); have moved_nth j : nth 0 (moved y i e) j = if j == i then nth 0 y i + e else nth 0 y j.
  by rewrite nth_set_nth.
split.
- apply: boxP => [|j j_box]; first by rewrite size_set_nth size_y; apply/maxn_idPr.
  rewrite moved_nth; case: eqP => [->|_]; last exact: each_y.
  by case/andP: in_e.
- have -> : r = r / 2%:R + r / 2%:R by field.
  apply: near_trans xy _; split=> [|j]; first by rewrite size_set_nth; apply/esym/maxn_idPr.
  rewrite moved_nth; case: eqP => [->|_]; last by rewrite subrr normr0 ltW.
  by rewrite opprD addrA subrr sub0r normrN size_e.
move=> g [<-|g_fs]; last by apply: rest g_fs; rewrite size_e.
rewrite fvalue_moved // f0 add0r mulf_neq0 ?mulf_neq0 ?invr_eq0 ?zp_neq0 //.
  by apply/eqP; rewrite -(zr0 R) => /zr_inj.
by rewrite -normr_eq0 size_e gt_eqF.
Qed.

Theorem everywhere box fs net k f (v : R) : (forall g, List.In g fs -> moving box g) ->
    (forall y, within_box box y -> (forall g, List.In g fs -> fvalue g y != 0) ->
      fvalue f (posts net k y) = v) ->
  forall x, within_box box x -> fvalue f (posts net k x) = v.
Proof.
move=> moves same x in_box; have [L L0 cont] := fvalue_near net k f.
apply/eqP; rewrite -subr_eq0 -normr_le0 leNgt; apply/negP=> far.
set e := `|_| in far; have L1 : 0 < L + 1 by rewrite ltr_wpDl.
have r0 : 0 < e / (L + 1) by rewrite divr_gt0.
have [y [y_box xy off]] := dense moves in_box r0.
have := cont _ _ _ xy; rewrite (same y y_box off) -/e mulrCA; apply/negP.
by rewrite -ltNge -[X in _ < X]mulr1 ltr_pM2l // ltr_pdivrMr // mul1r ltrDl.
Qed.


End Dense.
