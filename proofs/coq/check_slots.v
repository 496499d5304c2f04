(******************************************************************************)
(* Many integers in one: each stands in a slot of so many bits, and a sum or  *)
(* a multiple of the whole is one of each.                                    *)
(*                                                                            *)
(*     pack B s == the integers s in slots of B bits                          *)
(* columns B d ws == for each of d inputs its weights in ws, packed           *)
(* quick_pack k B s, quick_columns B d ws == the same, by pairs, k times      *)
(*       half B == half of what a slot holds                                  *)
(* unpack steps z more == the slots of z, and then more: z is cut in half,    *)
(*                 and each half again, as the steps say                      *)
(* halves B depth == the steps for 2^depth slots                              *)
(*  digits_in B s == all of s are at least 0 and fit a slot                   *)
(*   in_each B n == 1 in each of n slots                                      *)
(* positive_parts, shorter, none_positive == of all slots at once: what is    *)
(*                 above 0 without its last digits; whether no slot has more  *)
(*                 than so many bits; whether none has more than 0            *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep check_integers check_rough.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Notation llayer := check_deep.layer.

Local Open Scope Z_scope.

Fixpoint pack (B : Z) (s : seq Z) : Z :=
  if s is a :: s' then Z.add a (Z.shiftl (pack B s') B) else Z0.

Fixpoint columns (B : Z) (d : nat) (ws : seq (seq Z)) : seq Z :=
  if d is d'.+1 then pack B (map (head Z0) ws) :: columns B d' (map behead ws) else [::].

(* Neighbours in one slot of twice the bits.                                  *)
Fixpoint pairs (B : Z) (s : seq Z) : seq Z :=
  if s is a :: b :: s' then Z.add a (Z.shiftl b B) :: pairs B s' else s.

Fixpoint quick_pack (k : nat) (B : Z) (s : seq Z) : Z :=
  if k is k'.+1 then quick_pack k' (Z.double B) (pairs B s) else pack B s.

Definition rounds : nat := 10.

Fixpoint quick_columns (B : Z) (d : nat) (ws : seq (seq Z)) : seq Z :=
  if d is d'.+1 then quick_pack rounds B (map (head Z0) ws) :: quick_columns B d' (map behead ws)
  else [::].

Arguments quick_pack : simpl never.

(* A slot with half is one that is at least half.                             *)
Definition half (B : Z) : Z := Z.shiftl 1 (Z.pred B).

Fixpoint unpack (cuts : seq (Z * Z)) (z : Z) (more : seq Z) : seq Z :=
  if cuts is c :: cuts' then unpack cuts' (Z.land z c.2) (unpack cuts' (Z.shiftr z c.1) more)
  else z :: more.

(* Half of the slots, a quarter, .., one: how far they go, and which bits they are.  *)
Fixpoint halves (B : Z) (depth : nat) : seq (Z * Z) :=
  if depth is k.+1 then
    let w := Z.mul B (Z.shiftl 1 (Z.of_nat k)) in (w, Z.ones w) :: halves B k
  else [::].

(* The same in each of n slots is a multiple of 1 in each.                    *)
Definition in_each (B : Z) (n : nat) : Z := Z.div (Z.ones (Z.mul B (Z.of_nat n))) (Z.ones B).

(* Of the numbers t, packed, what is above 0, without the last digits.        *)
Definition positive_parts (B one lost z : Z) : Z :=
  let centred := Z.add z (Z.mul (half B) one) in
  let signs := Z.land centred (Z.mul (half B) one) in
  let parts := Z.sub (Z.land centred (Z.sub (Z.shiftl signs 1) (Z.shiftr signs (Z.pred B)))) signs in
  Z.shiftr (Z.sub parts (Z.land parts (Z.mul (Z.ones lost) one))) lost.

(* Whether no slot has more than the last so many bits.                       *)
Definition shorter (B one bits z : Z) : bool :=
  Z.eqb (Z.land z (Z.mul (Z.sub (Z.shiftl 1 B) (Z.shiftl 1 bits)) one)) Z0.

(* Whether no slot has more than 0.                                           *)
Definition none_positive (B one z : Z) : bool :=
  let full := Z.mul (half B) one in Z.eqb (Z.land (Z.sub full z) full) full.

Lemma pack_pairs b s : 0 <= b -> pack (Z.double b) (pairs b s) = pack b s.
Proof.
move=> b0; have double0 : 0 <= Z.double b by rewrite Z.double_spec; lia.
have [n] := ubnP (size s); elim: n s => [//|n IH] [|x [|y s]] //= s_n; first by rewrite !Z.shiftl_0_l.
rewrite IH; last exact: ltnW s_n.
rewrite !Z.shiftl_mul_pow2 // Z.double_spec (_ : 2 * b = b + b) ?Z.pow_add_r //; last lia.
by move: (pack b s) (2 ^ b) => p q; ring.
Qed.

Lemma quick_packE k b s : 0 <= b -> quick_pack k b s = pack b s.
Proof.
elim: k b s => // k IH b s b0; rewrite /quick_pack -/quick_pack IH ?pack_pairs // Z.double_spec; lia.
Qed.

Section Slots.

Variable B : Z.
Hypothesis B0 : 0 <= B.

Let P := 2 ^ B.
Let P0 : 0 < P. Proof. exact: Z.pow_pos_nonneg. Qed.

Definition digits_in (s : seq Z) := forall a, List.In a s -> 0 <= a < P.

Lemma packE a s : pack B (a :: s) = a + pack B s * P.
Proof. by rewrite /= Z.shiftl_mul_pow2. Qed.

Lemma quick_columnsE d ws : quick_columns B d ws = columns B d ws.
Proof. by elim: d ws => // d IH ws; rewrite /= quick_packE // IH. Qed.

Lemma pack_cat u v : pack B (u ++ v) = pack B u + pack B v * 2 ^ (B * Z.of_nat (size u)).
Proof.
elim: u => [|a u IH]; first by rewrite Z.mul_0_r /=; lia.
rewrite cat_cons !packE IH.
have -> : B * Z.of_nat (size (a :: u)) = B * Z.of_nat (size u) + B.
  by rewrite /= Zpos_P_of_succ_nat; lia.
by rewrite Z.pow_add_r; [rewrite -/P; lia|nia|].
Qed.

Lemma packD (T : Type) (f g : T -> Z) s :
  pack B [seq f a + g a | a <- s] = pack B (map f s) + pack B (map g s).
Proof. by elim: s => [//|a s IH]; rewrite !map_cons !packE IH; lia. Qed.

Lemma packM (T : Type) c (f : T -> Z) s : pack B [seq c * f a | a <- s] = c * pack B (map f s).
Proof. by elim: s => [|a s IH]; rewrite ?map_cons ?packE ?IH /=; lia. Qed.

Lemma columnsE d ws a : size a = d -> zdot 0 a (columns B d ws) = pack B [seq zdot 0 w a | w <- ws].
Proof.
elim: a d ws => [|a s IH] [|d] ws //=.
  move=> _; elim: ws => [//|w ws IH] /=; rewrite -IH Z.shiftl_0_l; by case: w.
move=> [s_d]; rewrite -/(zdot 0 (a :: s) (pack B (map (head 0) ws) :: columns B d (map behead ws))).
rewrite zdot_cons zdot_acc IH // -map_comp -packM.
rewrite -packD; congr pack; apply: eq_map => w /=.
case: w => [|u w]; first by rewrite /= Z.mul_0_r; case: (s).
by rewrite zdot_cons [in RHS]zdot_acc /=; lia.
Qed.

Lemma land_in a b : 0 <= a < P -> 0 <= b < P -> 0 <= Z.land a b < P.
Proof.
move=> aP bP; have lowE c : Z.land c (Z.ones B) = c mod P by rewrite Z.land_ones.
have -> : Z.land a b = Z.land a b mod P.
  by rewrite -lowE -Z.land_assoc lowE (Z.mod_small b).
exact: Z.mod_pos_bound.
Qed.

Lemma land_split a b x y : 0 <= a < P -> 0 <= b < P ->
  Z.land (a + x * P) (b + y * P) = Z.land a b + Z.land x y * P.
Proof.
move=> aP bP; set u := a + _; set v := b + _.
have lowE c : Z.land c (Z.ones B) = c mod P by rewrite Z.land_ones.
have hi (c z : Z) : 0 <= c < P -> (c + z * P) / P = z.
  by move=> cP; rewrite Z.div_add ?Z.div_small //; lia.
have lo (c z : Z) : 0 <= c < P -> (c + z * P) mod P = c.
  by move=> cP; rewrite Z.mod_add ?Z.mod_small //; lia.
rewrite [LHS](Z.div_mod _ P); last lia.
have -> : Z.land u v / P = Z.land x y.
  by rewrite -Z.shiftr_div_pow2 // Z.shiftr_land !Z.shiftr_div_pow2 // !hi.
have -> : Z.land u v mod P = Z.land a b.
  rewrite -lowE -[Z.ones B]Z.land_diag -Z.land_assoc (Z.land_assoc v) (Z.land_comm _ (Z.ones B)).
  by rewrite Z.land_assoc !lowE !lo.
lia.
Qed.

Lemma pack_land (T : Type) (f g : T -> Z) s :
  (forall a, List.In a s -> 0 <= f a < P /\ 0 <= g a < P) ->
  Z.land (pack B (map f s)) (pack B (map g s)) = pack B [seq Z.land (f a) (g a) | a <- s].
Proof.
elim: s => [//|a s IH] all_s; have [fa ga] := all_s a (or_introl erefl).
by rewrite !map_cons !packE land_split // IH // => b b_s; apply: all_s; right.
Qed.

Lemma pack_inj (T : Type) (f g : T -> Z) s :
  (forall a, List.In a s -> 0 <= f a < P /\ 0 <= g a < P) ->
  pack B (map f s) = pack B (map g s) -> forall a, List.In a s -> f a = g a.
Proof.
elim: s => [//|a s IH] all_s; have [fa ga] := all_s a (or_introl erefl).
rewrite !map_cons !packE => same.
have lo (c z : Z) : 0 <= c < P -> (c + z * P) mod P = c.
  by move=> cP; rewrite Z.mod_add ?Z.mod_small //; lia.
have eq_a : f a = g a by rewrite -[f a](lo _ (pack B (map f s))) // same lo.
move=> b [<- //|b_s]; apply: IH b b_s => [b b_s|]; first by apply: all_s; right.
by move: same; rewrite eq_a; nia.
Qed.


Hypothesis B1 : 0 < B.

Lemma halfE : half B = 2 ^ (B - 1).
Proof. by rewrite /half Z.shiftl_mul_pow2; [rewrite Z.mul_1_l|]; lia. Qed.

Lemma half_twice : 2 * half B = P.
Proof. by rewrite halfE /P -{2}(Z.succ_pred B) Z.pow_succ_r -?Z.sub_1_r //; lia. Qed.

Lemma half_gt0 : 0 < half B.
Proof. by rewrite halfE; apply: Z.pow_pos_nonneg; lia. Qed.

Lemma land_half a : 0 <= a -> Z.land a (half B) = half B -> half B <= a.
Proof.
move=> a0 same; have h0 := half_gt0.
have [a_gt0|a_0] : 0 < a \/ a = 0 by lia.
  have := Z.log2_land a (half B) a0 (Z.lt_le_incl _ _ h0); rewrite same halfE Z.log2_pow2; last lia.
  move=> /Z.min_glb_l; have := Z.log2_spec a a_gt0 => -[le_a _] le_log.
  apply: Z.le_trans le_a; apply: Z.pow_le_mono_r; lia.
by rewrite a_0 Z.land_0_l in same; lia.
Qed.

(* Numbers that are small enough, and which of them must not be positive      *)
Lemma off_slots (T : Type) (t : T -> Z) (f : T -> bool) s :
    (forall a, List.In a s -> Z.abs (t a) < half B) ->
    Z.land (pack B [seq half B - t a | a <- s]) (pack B [seq if f a then half B else 0 | a <- s])
    = pack B [seq if f a then half B else 0 | a <- s] ->
  forall a, List.In a s -> f a -> t a <= 0.
Proof.
move=> small; have h2 := half_twice; have h0 := half_gt0.
have in_P a : List.In a s -> 0 <= half B - t a < P /\ 0 <= (if f a then half B else 0) < P.
  by move=> /small a_s; case: ifP => _; lia.
rewrite pack_land // => /pack_inj same a a_s fa.
have {same} := same _ a a_s; rewrite fa => same.
have := in_P a a_s; rewrite fa => -[a0 _].
suff : half B <= half B - t a by lia.
apply: land_half; first lia.
by apply: same => b b_s; have [b0 c0] := in_P b b_s; split=> //; apply: land_in.
Qed.

(* Slot by slot                                                               *)

Lemma pack_in s : digits_in s -> 0 <= pack B s < 2 ^ (B * Z.of_nat (size s)).
Proof.
elim: s => [|a s IH] in_s; first by rewrite Z.mul_0_r.
have [a0 a1] := in_s a (or_introl erefl).
have {IH} [s0 s1] : 0 <= pack B s < 2 ^ (B * Z.of_nat (size s)).
  by apply: IH => b b_s; apply: in_s; right.
rewrite packE.
have -> : B * Z.of_nat (size (a :: s)) = B * Z.of_nat (size s) + B.
  by rewrite /= Zpos_P_of_succ_nat; lia.
by rewrite Z.pow_add_r; [rewrite -/P; nia|nia|].
Qed.

Lemma pack_zeros s k : pack B (s ++ nseq k 0) = pack B s.
Proof.
rewrite pack_cat (_ : pack B (nseq k 0) = 0) ?Z.mul_0_l ?Z.add_0_r //.
by elim: k => //= k ->; rewrite Z.shiftl_0_l.
Qed.

Lemma unpackE depth s more : digits_in s -> size s = (2 ^ depth)%N ->
  unpack (halves B depth) (pack B s) more = s ++ more.
Proof.
elim: depth s more => [|k IH] s more in_s s_n.
  by case: s in_s s_n => [|a [|b s]] // _ _; rewrite packE /= Z.add_0_r.
pose m := (2 ^ k)%N; have m_s : (m <= size s)%N by rewrite s_n leq_exp2l.
have u_n : size (take m s) = m by rewrite size_takel.
have v_n : size (drop m s) = m by rewrite size_drop s_n expnS mul2n -addnn addnK.
have u_in : digits_in (take m s).
  by move=> a a_u; apply: in_s; rewrite -(cat_take_drop m s); apply: List.in_or_app; left.
have v_in : digits_in (drop m s).
  by move=> a a_v; apply: in_s; rewrite -(cat_take_drop m s); apply: List.in_or_app; right.
have wE : B * Z.shiftl 1 (Z.of_nat k) = B * Z.of_nat m.
  rewrite Z.shiftl_mul_pow2 ?Z.mul_1_l; last exact: Nat2Z.is_nonneg.
  congr (_ * _); rewrite /m; elim: (k) => [//|j ej].
  by rewrite Nat2Z.inj_succ Z.pow_succ_r ?ej ?expnS; [lia|exact: Nat2Z.is_nonneg].
have [u0 u1] := pack_in u_in; rewrite u_n in u1.
have w0 : 0 <= B * Z.of_nat m by lia.
have zE : pack B s = pack B (take m s) + pack B (drop m s) * 2 ^ (B * Z.of_nat m).
  by rewrite -{1}(cat_take_drop m s) pack_cat u_n.
rewrite [halves B k.+1]/= wE.
rewrite [LHS]/= Z.land_ones // Z.shiftr_div_pow2 // zE.
rewrite Z.mod_add ?Z.mod_small ?Z.div_add ?Z.div_small ?Z.add_0_l //; try lia.
by rewrite !IH // catA cat_take_drop.
Qed.

Lemma unpack_take depth s : digits_in s -> (size s <= 2 ^ depth)%N ->
  take (size s) (unpack (halves B depth) (pack B s) [::]) = s.
Proof.
move=> in_s s_n; rewrite -(pack_zeros s (2 ^ depth - size s)) unpackE ?cats0 ?take_size_cat //.
  move=> a a_s; case: (List.in_app_or _ _ _ a_s) => [/in_s //|].
  by elim: (_ - _)%N => [//|k IH] /=; case=> [<-|//]; lia.
by rewrite size_cat size_nseq subnKC.
Qed.

End Slots.

(* All slots of an integer at once                                            *)
Section Each.

Variable (B : Z) (T : Type) (rs : seq T).
Hypothesis B1 : 0 < B.
Let B0 : 0 <= B. Proof. exact: Z.lt_le_incl. Qed.
Let P := 2 ^ B.
Let P0 : 0 < P. Proof. exact: Z.pow_pos_nonneg. Qed.
Let one := in_each B (size rs).
Let h0 := half_gt0 B1.
Let hP := half_twice B1.

Lemma in_each_pack n : in_each B n = pack B (nseq n 1).
Proof.
have ones k : 0 <= k -> Z.ones k = 2 ^ k - 1 by move=> k0; rewrite Z.ones_equiv; lia.
rewrite /in_each !ones; try nia; rewrite Z.pow_mul_r -/P; try lia.
have P1 : 1 < P by have := @Z.pow_gt_1 2 B (erefl _); rewrite -/P; lia.
rewrite (_ : P ^ Z.of_nat n - 1 = pack B (nseq n 1) * (P - 1)) ?Z.div_mul; try lia.
elim: n => [//|n IH]; rewrite Nat2Z.inj_succ Z.pow_succ_r ?(packE B0 1 (nseq n 1)) -/P; last lia.
have -> : P ^ Z.of_nat n = pack B (nseq n 1) * (P - 1) + 1 by lia.
by move: (pack _ _) => p; ring.
Qed.

Lemma in_eachE a : a * one = pack B [seq a | _ <- rs].
Proof.
have -> : [seq a | _ <- rs] = [seq a * 1 | _ <- rs] by apply: eq_map => _; rewrite Z.mul_1_r.
rewrite (packM B0) /one in_each_pack (_ : nseq (size rs) 1 = [seq 1 | _ <- rs]) //.
by elim: (rs) => //= _ s ->.
Qed.

Lemma land_halfE a : 0 <= a < P -> Z.land a (half B) = if half B <=? a then half B else 0.
Proof.
have k0 : 0 <= B - 1 by lia.
have split := @land_split (B - 1) k0; rewrite -(halfE B1) in split.
have hP' : 2 * half B = P by [].
move=> a_P; case: Z.leb_spec => [le|lt].
  have := split (a - half B) 0 1 1; rewrite Z.land_0_r => E.
  by rewrite -[RHS]/(0 + half B) -[half B in RHS]Z.mul_1_l -E; [congr Z.land; lia|lia|lia].
have := split a 0 0 1; rewrite Z.land_0_r => E.
by rewrite -[RHS]/(0 + 0 * half B) -E; [congr Z.land; lia|lia|lia].
Qed.

Lemma positive_partsE (t : T -> Z) lost : 0 <= lost <= B ->
    (forall r, List.In r rs -> Z.abs (t r) < half B) ->
  positive_parts B one lost (pack B (map t rs)) = pack B [seq Z.shiftr (Z.max 0 (t r)) lost | r <- rs].
Proof.
move=> [l0 lB] small; rewrite /positive_parts !in_eachE -(packD B0).
set m := Z.land (pack B [seq t r + half B | r <- rs]) (pack B [seq half B | _ <- rs]); pose up r := if 0 <=? t r then 1 else 0.
have mE : m = half B * pack B (map up rs).
  rewrite -(packM B0) /m (pack_land B0) => [|r /small]; last by lia.
  congr pack; elim: (rs) small => //= r s IH small; congr cons; last by apply: IH => r' ?; apply: small; right.
  have now := small r (or_introl erefl); rewrite land_halfE /up; last by lia.
  by case: Z.leb_spec => ?; case: Z.leb_spec; lia.
have -> : Z.sub (Z.shiftl m 1) (Z.shiftr m (Z.pred B)) = pack B [seq (P - 1) * up r | r <- rs].
  rewrite (packM B0) mE Z.shiftl_mul_pow2 // Z.shiftr_div_pow2; last by lia.
  rewrite -Z.sub_1_r -(halfE B1) Z.mul_comm [half B * _]Z.mul_comm Z.div_mul; lia.
rewrite (pack_land B0) => [|r /small]; last by rewrite /up; case: Z.leb_spec; lia.
have -> : Z.sub (pack B [seq Z.land (t r + half B) ((P - 1) * up r) | r <- rs]) m = pack B [seq Z.max 0 (t r) | r <- rs].
  suff -> : [seq Z.land (t r + half B) ((P - 1) * up r) | r <- rs] = [seq Z.max 0 (t r) + half B * up r | r <- rs].
    by rewrite (packD B0) (packM B0) mE; lia.
  elim: (rs) small => //= r s IH small; congr cons; last by apply: IH => r' ?; apply: small; right.
  have now := small r (or_introl erefl); rewrite /up; case: Z.leb_spec => [up0|down0].
    rewrite (_ : (P - 1) * 1 = Z.ones B); last by rewrite Z.ones_equiv -/P; lia.
    by rewrite Z.land_ones // Z.mod_small; lia.
  by rewrite Z.mul_0_r Z.land_0_r; lia.
have L0 : 0 < 2 ^ lost by apply: Z.pow_pos_nonneg.
have LP : 2 ^ lost <= P by apply: Z.pow_le_mono_r.
have onesE : Z.ones lost = 2 ^ lost - 1 by rewrite Z.ones_equiv; lia.
rewrite (pack_land B0) => [|r /small]; last by lia.
have -> : Z.sub (pack B [seq Z.max 0 (t r) | r <- rs]) (pack B [seq Z.land (Z.max 0 (t r)) (Z.ones lost) | r <- rs])
    = 2 ^ lost * pack B [seq Z.shiftr (Z.max 0 (t r)) lost | r <- rs].
  rewrite -(packM B0); set u := pack B [seq 2 ^ lost * _ | _ <- _].
  have -> : pack B [seq Z.max 0 (t r) | r <- rs] = u + pack B [seq Z.land (Z.max 0 (t r)) (Z.ones lost) | r <- rs].
    rewrite -(packD B0); congr pack; apply: eq_map => r.
    by rewrite Z.land_ones // Z.shiftr_div_pow2 // -Z.div_mod; lia.
  lia.
by rewrite Z.shiftr_div_pow2 // Z.mul_comm Z.div_mul; lia.
Qed.

Lemma shorterP (t : T -> Z) bits : 0 <= bits <= B -> (forall r, List.In r rs -> 0 <= t r < P) ->
  shorter B one bits (pack B (map t rs)) -> forall r, List.In r rs -> t r <= Z.ones bits.
Proof.
move=> [b0 bB] small /Z.eqb_eq; rewrite in_eachE !Z.shiftl_mul_pow2 // !Z.mul_1_l -/P.
have b1 : 0 < 2 ^ bits by apply: Z.pow_pos_nonneg.
have bP : 2 ^ bits <= P by apply: Z.pow_le_mono_r.
rewrite (pack_land B0) => [|r /small]; last by lia.
have -> : 0 = pack B [seq 0 | _ <- rs].
  by elim: (rs) => //= _ s <-; rewrite Z.shiftl_0_l.
have in_P r : List.In r rs -> 0 <= Z.land (t r) (P - 2 ^ bits) < P /\ 0 <= 0 < P.
  by move=> /small r_s; split; [apply: land_in; rewrite -/P; lia|lia].
move=> /(pack_inj B0 in_P) zero r r_s; have := zero r r_s; have := small r r_s.
rewrite Z.ones_equiv => t_P.
have hi : P - 2 ^ bits = 0 + Z.ones (B - bits) * 2 ^ bits.
  by rewrite Z.ones_equiv Z.mul_pred_l -Z.pow_add_r ?Z.sub_add -/P; lia.
rewrite hi {1}(Z.div_mod (t r) (2 ^ bits)); last by lia.
rewrite Z.mul_comm Z.add_comm (land_split b0); try by [lia|apply: Z.mod_pos_bound].
rewrite Z.land_0_r Z.land_ones; last by lia.
rewrite Z.mod_small; last first.
  split; first by apply: Z.div_pos; lia.
  apply: Z.div_lt_upper_bound => //; rewrite -Z.pow_add_r; try lia.
  by rewrite (_ : bits + (B - bits) = B) -/P; lia.
have := Z.mod_pos_bound (t r) _ b1.
have := Z.div_mod (t r) (2 ^ bits).
move: (_ / _) (_ mod _) => u v; nia.
Qed.

Lemma none_positiveP (t : T -> Z) : (forall r, List.In r rs -> Z.abs (t r) < half B) ->
  none_positive B one (pack B (map t rs)) -> forall r, List.In r rs -> t r <= 0.
Proof.
move=> small /Z.eqb_eq; rewrite in_eachE => same r r_s.
apply: (@off_slots B B0 B1 T t xpredT rs small _ r r_s isT).
rewrite -[RHS]same; congr Z.land; have := packD B0 t (fun r => half B - t r) rs.
rewrite (_ : [seq t a + (half B - t a) | a <- rs] = [seq half B | _ <- rs]); last first.
  by apply: eq_map => a; lia.
lia.
Qed.

End Each.
