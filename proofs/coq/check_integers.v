(******************************************************************************)
(* Nets of any depth in integers: the numbers of floats are a mantissa times  *)
(* a power of two, those of a layer are brought over one scale, and then all  *)
(* that is computed is integers.                                              *)
(*                                                                            *)
(*       number == (mantissa, exponent, divisor) : m 2^e / q; value R x in R  *)
(*        scale == (exponent, divisor); its size R s is 2^e / q               *)
(*   over s x == the integer whose multiple of the scale is x, if there is    *)
(*               one; overs s xs, over_layer, over_layers: of many numbers    *)
(*  zdot acc w x == acc + w . x; zaffine l x, zforward ls x, zsent J l x: the *)
(*               lists of check_deep.v and check_chains.v, over Z             *)
(*   zr R a == the integer a in R                                             *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Record number := Number { mantissa : Z; exponent : Z; divisor : Z }.

Record scale := Scale { power : Z; under : Z }.

Definition times (s t : scale) := Scale (Z.add (power s) (power t)) (Z.mul (under s) (under t)).

Definition proper (s : scale) := Z.ltb Z0 (under s).

Definition over (s : scale) (x : number) : option Z :=
  if Z.eqb (mantissa x) Z0 then (if Z.ltb Z0 (divisor x) then Some Z0 else None)
  else if Z.leb (power s) (exponent x) && Z.ltb Z0 (divisor x) then
    let m := Z.shiftl (mantissa x) (Z.sub (exponent x) (power s)) in
    if Z.eqb (divisor x) (under s) then Some m else
    let p := Z.mul m (under s) in
    let z := Z.div p (divisor x) in
    if Z.eqb (Z.mul z (divisor x)) p then Some z else None
  else None.

Section Options.

Variables (A B : Type) (f : A -> option B).

Fixpoint each (s : seq A) : option (seq B) :=
  match s with
  | [::] => Some [::]
  | a :: s' =>
    if f a is Some b then (if each s' is Some t then Some (b :: t) else None) else None
  end.

Lemma eachP s t : each s = Some t -> map f s = map Some t.
Proof.
elim: s t => [|a s IH] t /=; first by case: t.
case: (f a) => // b; case E: (each s) => [u|//] [<-] /=.
by rewrite (IH u).
Qed.

End Options.

Definition overs s := each (over s).

Definition over_layer (weights biases : scale) :=
  each (fun wb : seq number * number =>
    if overs weights wb.1 is Some w then
      (if over biases wb.2 is Some b then Some (w, b) else None) else None).

(* The scale of what enters each layer, and what is left of those given.      *)
Fixpoint over_layers (s : scale) (es : seq scale) (ls : seq (llayer number)) :
    option (seq (llayer Z)) :=
  match es, ls with
  | [::], [::] => Some [::]
  | e :: es', l :: ls' =>
    if proper e then
      if over_layer e (times e s) l is Some z then
        if over_layers (times e s) es' ls' is Some zs then Some (z :: zs) else None
      else None
    else None
  | _, _ => None
  end.

Fixpoint zdot (acc : Z) (w x : seq Z) : Z :=
  match w, x with
  | a :: w', b :: x' => if Z.eqb a Z0 then zdot acc w' x' else zdot (Z.add acc (Z.mul a b)) w' x'
  | _, _ => acc
  end.

Lemma zdot_cons acc a w b x : zdot acc (a :: w) (b :: x) = zdot (Z.add acc (Z.mul a b)) w x.
Proof. by move=> /=; case: Z.eqb_spec => // ->; rewrite Z.mul_0_l Z.add_0_r. Qed.

Definition zrelu (a : Z) := Z.max Z0 a.

Definition zaffine (l : llayer Z) (x : seq Z) := [seq zdot wb.2 wb.1 x | wb <- l].

Definition zforward (ls : seq (llayer Z)) (x : seq Z) :=
  foldl (fun v l => map zrelu (zaffine l v)) x ls.

Definition zsent (J : seq bool) (l : llayer Z) (h : seq Z) :=
  [seq zdot Z0 (mask J wb.1) (mask J h) | wb <- l].

Fixpoint zsame (u v : seq Z) : bool :=
  match u, v with
  | [::], [::] => true
  | a :: u', b :: v' => if Z.eqb a b then zsame u' v' else false
  | _, _ => false
  end.

Lemma zsameP u v : reflect (u = v) (zsame u v).
Proof.
apply: (iffP idP) => [|->]; last by elim: v => //= a v; rewrite Z.eqb_refl.
by elim: u v => [|a u IH] [|b v] //=; case: Z.eqb_spec => // -> /IH ->.
Qed.

Local Open Scope ring_scope.

Section Reals.

Variable R : realFieldType.
Local Notation Rops := (Rops R).
Local Arguments int_of_Z : simpl never.

Definition zr (a : Z) : R := (int_of_Z a)%:~R.

Definition two (e : Z) : R := 2%:R ^ int_of_Z e.

Definition value (x : number) : R := zr (mantissa x) * two (exponent x) / zr (divisor x).

Definition size_of (s : scale) : R := two (power s) / zr (under s).

Lemma zr0 : zr Z0 = 0. Proof. by []. Qed.

Lemma zrD a b : zr (Z.add a b) = zr a + zr b.
Proof. by rewrite /zr int_of_ZD intrD. Qed.

Lemma zrM a b : zr (Z.mul a b) = zr a * zr b.
Proof. by rewrite /zr int_of_ZM intrM. Qed.

Lemma zrN a : zr (Z.opp a) = - zr a.
Proof. by rewrite /zr int_of_ZN rmorphN. Qed.

Lemma zr_inj : injective zr.
Proof. by move=> a b /eqP; rewrite eqr_int => /eqP/(can_inj int_of_ZK). Qed.

Lemma zr_gt0 a : (0 < zr a) = Z.ltb Z0 a.
Proof.
case: a => [|p|p]; rewrite /zr /=; first by rewrite ltxx.
  by rewrite den_gt0.
by rewrite -Pos2Z.opp_pos int_of_ZN rmorphN oppr_gt0 ltNge ltW // den_gt0.
Qed.

Lemma zr_le a b : (zr a <= zr b) = Z.leb a b.
Proof.
rewrite -subr_ge0 -zrN -zrD leNgt -oppr_gt0 -zrN zr_gt0.
by apply/idP/idP => [/Z.ltb_spec0|/Z.leb_spec0] H; [apply/Z.leb_spec0|apply/Z.ltb_spec0]; lia.
Qed.

Lemma zr_relu a : zr (zrelu a) = relu (zr a).
Proof.
rewrite /zrelu; case: (Z.leb_spec0 Z0 a) => [ge0|lt0].
  by rewrite Z.max_r // relu_id // -zr0 zr_le; apply/Z.leb_spec0.
by rewrite Z.max_l ?relu_0 // -?zr0 ?zr_le; [apply/Z.leb_spec0|]; lia.
Qed.

Lemma two_gt0 e : 0 < two e.
Proof. by rewrite exprz_gt0 // ltr0n. Qed.

Lemma twoD a b : two (Z.add a b) = two a * two b.
Proof. by rewrite /two int_of_ZD expfzDr // pnatr_eq0. Qed.

Lemma zr_pow n : Z.le Z0 n -> zr (Z.pow 2 n) = two n.
Proof.
move/Z2Nat.id <-; elim: (Z.to_nat n) => [//|k IH].
rewrite Nat2Z.inj_succ Z.pow_succ_r; last exact: Nat2Z.is_nonneg.
by rewrite zrM IH -Z.add_1_l twoD.
Qed.

Lemma size_gt0 s : proper s -> 0 < size_of s.
Proof. by move=> ok; rewrite divr_gt0 ?two_gt0 ?zr_gt0. Qed.

Lemma size_times s t : size_of (times s t) = size_of s * size_of t.
Proof. by rewrite /size_of /= twoD zrM invfM mulrACA. Qed.

Lemma proper_times s t : proper s -> proper t -> proper (times s t).
Proof. by rewrite /proper /= => /Z.ltb_spec0 s0 /Z.ltb_spec0 t0; apply/Z.ltb_spec0; nia. Qed.

Lemma overP s x z : proper s -> over s x = Some z -> value x = size_of s * zr z.
Proof.
move=> s_gt0; rewrite /over /value /size_of; case: Z.eqb_spec => [-> |_].
  by case: ifP => // _ [<-]; rewrite zr0 !mul0r mulr0.
case: ifP => // /andP[/Z.leb_spec0 le_e q_gt0].
have e_E : two (exponent x) = two (power s) * zr (Z.pow 2 (Z.sub (exponent x) (power s))).
  by rewrite zr_pow -?twoD; [congr two|]; lia.
have m_E : zr (Z.shiftl (mantissa x) (Z.sub (exponent x) (power s)))
    = zr (mantissa x) * zr (Z.pow 2 (Z.sub (exponent x) (power s))).
  by rewrite Z.shiftl_mul_pow2 ?zrM //; lia.
have q_n0 : zr (divisor x) != 0 by rewrite gt_eqF ?zr_gt0.
have s_n0 : zr (under s) != 0 by rewrite gt_eqF ?zr_gt0.
case: Z.eqb_spec => [qs [<-]|_].
  rewrite m_E e_E qs; move: (zr _) (two _) (zr (Z.pow _ _)) (zr _)^-1 => a b c e; ring.
case: Z.eqb_spec => // p_E [zE]; rewrite zE in p_E.
have pE := congr1 zr p_E; rewrite !zrM m_E in pE.
rewrite e_E [RHS]mulrAC; apply/eqP; rewrite eqr_div //; apply/eqP.
rewrite -[RHS]mulrA pE; move: (zr _) (two _) (zr (Z.pow _ _)) (zr (under s)) => a b c e; ring.
Qed.

(* Lists over a scale                                                         *)

Lemma oversP s xs zs : proper s -> overs s xs = Some zs ->
  map value xs = [seq size_of s * zr z | z <- zs].
Proof.
move=> s_gt0 /eachP; elim: xs zs => [|x xs IH] [|z zs] //= [xz rest].
by rewrite (overP s_gt0 xz) (IH zs).
Qed.

Definition value_layer (l : llayer number) : llayer R :=
  [seq (map value wb.1, value wb.2) | wb <- l].

Definition scaled (s t : scale) (l : llayer Z) : llayer R :=
  [seq ([seq size_of s * zr a | a <- wb.1], size_of t * zr wb.2) | wb <- l].

Lemma over_layerP s t l z : proper s -> proper t -> over_layer s t l = Some z ->
  value_layer l = scaled s t z.
Proof.
move=> s_gt0 t_gt0 /eachP; elim: l z => [|[w b] l IH] [|[w' b'] z] //= [].
case E: (overs s w) => [u|//]; case F: (over t b) => [a|//] [<- <-] rest.
by rewrite (oversP s_gt0 E) (overP t_gt0 F) (IH z).
Qed.

Lemma zdotE acc w x : zr (zdot acc w x) = zr acc + zr (zdot Z0 w x).
Proof.
elim: w x acc => [|u w IH] [|v x] acc; rewrite ?zdot_cons /= ?zr0 ?addr0 //.
by rewrite IH zrD -addrA [in RHS]IH.
Qed.

Lemma ldotZ a b (w x : seq Z) :
  ldot Rops [seq a * zr u | u <- w] [seq b * zr v | v <- x] = a * b * zr (zdot Z0 w x).
Proof.
elim: w x => [|u w IH] [|v x]; rewrite ?zdot_cons /= ?zr0 ?mulr0 //.
rewrite /ldot /= in IH *; rewrite IH (zdotE (Z.mul _ _)) zrM.
move: (zr u) (zr v) (zr _) => p q r; ring.
Qed.

Definition multiple (s : scale) (x : seq Z) := [seq size_of s * zr a | a <- x].

Lemma affineP s t l x : proper s -> proper t ->
  laffine Rops (scaled s (times s t) l) (multiple t x) = multiple (times s t) (zaffine l x).
Proof.
move=> s_gt0 t_gt0; rewrite /laffine /multiple /zaffine -!map_comp.
apply: eq_map => wb /=; rewrite ldotZ size_times [in RHS]zdotE.
move: (zr wb.2) (zr _) (size_of s) (size_of t) => p q a b; ring.
Qed.

Lemma reluP s x : proper s -> map (@relu R) (multiple s x) = multiple s (map zrelu x).
Proof.
move=> s_gt0; rewrite /multiple -!map_comp; apply: eq_map => a /=.
have s0 := size_gt0 s_gt0; rewrite zr_relu.
have [ge0|lt0] := leP 0 (zr a); first by rewrite (relu_id ge0) relu_id // mulr_ge0 // ltW.
by rewrite !relu_0 ?mulr0 ?pmulr_rle0 ?(ltW lt0).
Qed.

(* The scale of the values that hidden layers give                            *)
Definition scale_at (s : scale) (es : seq scale) := foldl (fun t e => times e t) s es.

Lemma over_layersP s es ls zs : proper s -> over_layers s es ls = Some zs ->
  [/\ size zs = size ls, size es = size ls
    & forall x j, (j <= size ls)%N ->
      lforward Rops (take j (map value_layer ls)) (multiple s x)
      = multiple (scale_at s (take j es)) (zforward (take j zs) x)
      /\ proper (scale_at s (take j es))].
Proof.
elim: ls s es zs => [|l ls IH] s [|e es] zs //= s_gt0.
  by move=> [<-]; split=> // x [|//] _.
case: ifP => // e_gt0; case E: over_layer => [z|//]; case F: over_layers => [u|//] [<-].
have t_gt0 := proper_times e_gt0 s_gt0; have [u_n es_n same] := IH _ _ _ t_gt0 F.
split=> [||x [|j] j_ls] /=; rewrite ?u_n ?es_n ?take0 //.
rewrite (over_layerP e_gt0 t_gt0 E) affineP // reluP //; exact: same.
Qed.

Lemma scaled_nth es s ls zs j : proper s -> over_layers s es ls = Some zs -> (j < size ls)%N ->
  let t := scale_at s (take j es) in let e := nth (Scale Z0 Z0) es j in
  [/\ proper e, proper t & nth [::] (map value_layer ls) j = scaled e (times e t) (nth [::] zs j)].
Proof.
elim: ls s es zs j => [|l ls IH] s [|e es] zs // [|j] s_gt0 /=;
case: ifP => // e_gt0; case E: over_layer => [z|//]; case F: over_layers => [u|//] [<-] j_ls /=;
have t_gt0 := proper_times e_gt0 s_gt0.
  by split=> //; apply: over_layerP.
exact: IH.
Qed.

Lemma mask_multiple s J x : mask J (multiple s x) = multiple s (mask J x).
Proof. by rewrite /multiple map_mask. Qed.

Lemma sentP s t u J l x :
  lsent Rops J (scaled s u l) (multiple t x) = multiple (times s t) (zsent J l x).
Proof.
rewrite /lsent /multiple /zsent -!map_comp; apply: eq_map => wb /=.
by rewrite -!map_mask ldotZ size_times.
Qed.

Lemma multiple_inj s : proper s -> injective (multiple s).
Proof.
move=> s_gt0; apply: inj_map => a b /mulfI H; apply/zr_inj/H.
by rewrite gt_eqF ?size_gt0.
Qed.

End Reals.
