(******************************************************************************)
(* Whether a unit is off, by the leading digits of its weights and inputs:    *)
(* their products are short. Where they do not tell, all digits are used.     *)
(*                                                                            *)
(*  leading cut x == the integers x without their last cut binary digits      *)
(*       zsizes x == the sum of the sizes |a|                                 *)
(* rough cut cut' (w, b) == what is needed of a unit: leading digits of w, and *)
(*                  how much their product with those of an input may be      *)
(*    surely_off == it is no more, so w . x + b <= 0                          *)
(*       trim w == the weights w without the zeros at their end               *)
(* dead_test J l cut h == the units of the layer l that J selects are 0 at h  *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep check_integers.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

(* A bound of w . x + b from above, by the leading digits of w and x: their   *)
(* products are short.                                                        *)
Definition zsizes (x : seq Z) := foldl (fun s a => Z.add s (Z.abs a)) Z0 x.

Definition leading (cut : Z) (x : seq Z) := [seq Z.shiftr a cut | a <- x].

Definition rough (cut cut' : Z) (wb : seq Z * Z) :=
  let most := Z.add (Z.shiftl (zsizes wb.1) cut) wb.2 in
  (leading cut' wb.1, Z.shiftr (Z.opp most) (Z.add cut cut')).

Definition surely_off (short : seq Z) (sizes : Z) (r : seq Z * Z) :=
  Z.leb (zdot sizes r.1 short) r.2.

(* Digits that are left out of inputs and of weights: any number is sound.    *)
Definition digits (x : seq Z) := Z.log2 (foldl (fun s a => Z.max s (Z.abs a)) Z0 x).

Definition kept : Z := 25.

Definition cut_of (x : seq Z) := Z.max Z0 (Z.sub (digits x) kept).

Fixpoint trim (w : seq Z) : seq Z :=
  if w is a :: w' then
    let more := trim w' in
    if more is [::] then (if Z.eqb a Z0 then [::] else [:: a]) else a :: more
  else [::].

Definition trimmed (wb : seq Z * Z) := (trim wb.1, wb.2).

Definition few := 8%N.

Definition dead_test (J : seq bool) (l : llayer Z) (cut : Z) : seq Z -> bool :=
  let us := map trimmed (mask J l) in
  let thin := [seq wb <- us | (size wb.1 <= few)%N] in
  let rs := [seq (rough cut (cut_of wb.1) wb, wb) | wb <- us & ~~ (size wb.1 <= few)%N] in
  fun h =>
    if all (fun wb => Z.leb (zdot wb.2 wb.1 h) Z0) thin then
      if rs is [::] then true else
        let short := leading cut h in
        let sizes := zsizes short in
        all (fun r => if surely_off short sizes r.1 then true
                      else Z.leb (zdot r.2.2 r.2.1 h) Z0) rs
    else false.

Lemma zdot_trim acc w x : zdot acc (trim w) x = zdot acc w x.
Proof.
elim: w acc x => [//|a w IH] acc [|b x]; first by rewrite /=; case: (trim w) => [|//]; case: Z.eqb.
move: IH; rewrite [trim (a :: w)]/=; case: (trim w) => [|c w'] IH; last by rewrite !zdot_cons IH.
by case: Z.eqb_spec => [->|_]; rewrite !zdot_cons -IH ?Z.mul_0_l ?Z.add_0_r.
Qed.

Lemma all_parts (T : Type) (P Q : pred T) s :
  all P [seq x <- s | Q x] -> all P [seq x <- s | ~~ Q x] -> all P s.
Proof.
elim: s => [//|x s IH] /=; case: (Q x) => /= [/andP[-> ok]|ok /andP[->]]; first exact: IH.
exact: IH.
Qed.

Lemma trim_affine us x : zaffine (map trimmed us) x = zaffine us x.
Proof. by rewrite /zaffine -map_comp; apply: eq_map => wb /=; rewrite zdot_trim. Qed.

Lemma all_mask (T : Type) (P : pred T) x0 J (s : seq T) j :
  all P (mask J s) -> nth false J j -> (j < size s)%N -> P (nth x0 s j).
Proof.
elim: s J j => [//|a s IH] [|[] J] [|j] //=; try by case/andP.
- by case/andP=> _; apply: IH.
- exact: IH.
Qed.

Lemma all_in (A : Type) (P : pred A) s a : all P s -> List.In a s -> P a.
Proof. by elim: s => [//|b s IH] /= /andP[Pb Ps] [<- //|]; apply: IH. Qed.

(* The rough bound                                                            *)
Section Rough.

Local Open Scope Z_scope.

Lemma rough_product A B w x wh xh wl xl : w = wh * B + wl -> x = xh * A + xl ->
  0 <= wl < B -> 0 <= xl < A -> w * x <= (A * B) * (wh * xh + Z.abs xh) + A * Z.abs w.
Proof.
move=> wE xE [wl0 wlB] [xl0 xlA].
have one : w * xl <= A * Z.abs w by nia.
have two : wl * xh <= B * Z.abs xh by nia.
have three : A * (wl * xh) <= A * (B * Z.abs xh) by apply: Z.mul_le_mono_nonneg_l; lia.
have -> : w * x = A * B * (wh * xh) + A * (wl * xh) + w * xl by rewrite xE [in LHS]wE; nia.
nia.
Qed.

Lemma shiftr_split a cut : 0 <= cut ->
  exists r, a = Z.shiftr a cut * 2 ^ cut + r /\ 0 <= r < 2 ^ cut.
Proof.
move=> cut0; exists (a mod 2 ^ cut); rewrite Z.shiftr_div_pow2 //.
have p0 : 0 < 2 ^ cut by apply: Z.pow_pos_nonneg.
split; last exact: Z.mod_pos_bound.
by rewrite Z.mul_comm; apply: Z.div_mod; lia.
Qed.

Lemma zdot_acc acc w x : zdot acc w x = acc + zdot 0 w x.
Proof.
elim: w x acc => [|u w IH] [|v x] acc; rewrite ?zdot_cons; try by rewrite /=; lia.
by rewrite IH [in RHS]IH; lia.
Qed.

Lemma zsizes_cons a x : zsizes (a :: x) = Z.abs a + zsizes x.
Proof.
rewrite /zsizes /=; have gen s : foldl (fun s a => s + Z.abs a) s x
    = s + foldl (fun s a => s + Z.abs a) 0 x.
  by elim: x s => [|b x IH] s /=; [lia|rewrite IH [in RHS]IH; lia].
by rewrite gen; lia.
Qed.

Lemma zsizes_ge0 x : 0 <= zsizes x.
Proof. by elim: x => [|a x IH]; rewrite ?zsizes_cons; [|lia]. Qed.

Lemma rough_dot cut cut' w x : 0 <= cut -> 0 <= cut' ->
  zdot 0 w x <= 2 ^ (cut + cut') * (zdot 0 (leading cut' w) (leading cut x) + zsizes (leading cut x))
    + 2 ^ cut * zsizes w.
Proof.
move=> c0 c0'; rewrite Z.pow_add_r //.
have A0 : 0 < 2 ^ cut by apply: Z.pow_pos_nonneg.
have B0 : 0 < 2 ^ cut' by apply: Z.pow_pos_nonneg.
elim: w x => [|u w IH] [|v x].
- by rewrite /zsizes /=; lia.
- have := @zsizes_ge0 (leading cut (v :: x)); rewrite /zsizes /=; nia.
- have := @zsizes_ge0 (u :: w); rewrite /zsizes /=; nia.
rewrite /leading !map_cons -/(leading cut x) -/(leading cut' w) !zdot_cons.
rewrite !(zdot_acc (Z.add _ _)) !zsizes_cons.
have [wl [wE wl_B]] := shiftr_split u c0'; have [xl [xE xl_A]] := shiftr_split v c0.
have := rough_product wE xE wl_B xl_A; have := IH x; nia.
Qed.

Lemma surely_offP cut cut' wb x : 0 <= cut -> 0 <= cut' ->
  surely_off (leading cut x) (zsizes (leading cut x)) (rough cut cut' wb) ->
  zdot wb.2 wb.1 x <= 0.
Proof.
move=> c0 c0' /Z.leb_spec0; rewrite /rough /= zdot_acc [zdot wb.2 _ _]zdot_acc.
rewrite Z.shiftr_div_pow2 ?Z.shiftl_mul_pow2 //; last lia.
have P0 : 0 < 2 ^ (cut + cut') by apply: Z.pow_pos_nonneg; lia.
move=> small; have := @rough_dot cut cut' wb.1 x c0 c0'.
have := Z.mul_div_le (- (zsizes wb.1 * 2 ^ cut + wb.2)) _ P0; nia.
Qed.

Lemma cut_of_ge0 x : 0 <= cut_of x.
Proof. by rewrite /cut_of; lia. Qed.

End Rough.

Lemma dead_testP J l cut h j : dead_test J l cut h -> Z.le Z0 cut -> nth false J j ->
  nth Z0 (map zrelu (zaffine l h)) j = Z0.
Proof.
rewrite /dead_test => ok c0 jJ; have [j_l|l_j] := ltnP j (size l); last first.
  by rewrite nth_default // !size_map.
pose P wb := Z.leb (zdot wb.2 wb.1 h) Z0.
have allP : all P (mask J l).
  have same : P \o trimmed =1 P by move=> wb; rewrite /P /= zdot_trim.
  rewrite -(eq_all same) -all_map; move: ok; set us := map trimmed _; case: ifP => // thin ok.
  have {ok} wide : all P [seq wb <- us | ~~ (size wb.1 <= few)%N].
    move: ok; case: [seq wb <- us | _] => [//|u s]; rewrite all_map; apply: sub_all => wb /=.
    by case: ifP => // /surely_offP off _; apply/Z.leb_spec0/off => //; apply: cut_of_ge0.
  exact: all_parts thin wide.
have /Z.leb_spec0 := all_mask ([::], Z0) allP jJ j_l.
rewrite (nth_map Z0) ?size_map // (nth_map ([::], Z0)) // /zrelu; lia.
Qed.
