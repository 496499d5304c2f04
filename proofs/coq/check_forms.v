(******************************************************************************)
(* Affine functions of what the layers of a ReLU net send, in integers over   *)
(* one denominator, and what becomes of them a layer further down: an upper   *)
(* bound by lines above and below relu, or the same function where all signs  *)
(* that matter are known. Rational numbers are not brought to lowest terms.   *)
(*                                                                            *)
(*   common a b == a common multiple, the least where one divides the other   *)
(*    whole D q == the integer D q, for D a multiple of the denominator of q  *)
(*    integers l == a layer as integers over one denominator                  *)
(*  form == (c, D, q): the function (c . h) / D + q; its value R f h          *)
(*  about == what is known of a pre-activation: a sign, bounds, and the slope *)
(*           of a line above its relu; good R u p: it is so of p              *)
(* on_off u == the sign that follows: true is >= 0, false is <= 0             *)
(* posts R net k x == the values of the k-th hidden layer at the input x      *)
(* relaxed l us ds f == a form in what enters the layer l that is at least f  *)
(*           in what l sends; ds are slopes of lines below relu, and          *)
(*           multipliers of known signs                                       *)
(* largest f box == the largest value of f on a box                           *)
(* above box net known k ds f == an upper bound of f of the k-th hidden layer *)
(* exact box net known k f == f of the k-th hidden layer, as a function of    *)
(*           the inputs that the box does not fix                             *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep check_integers.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Definition divides (a b : positive) := Z.eqb (Z.modulo (Zpos b) (Zpos a)) Z0.

Definition common (a b : positive) : positive :=
  if divides a b then b else if divides b a then a else Pos.mul a b.

Definition commons (qs : seq Q) := foldr (fun q => common (Qden q)) xH qs.

Definition whole (D : positive) (q : Q) :=
  let: Qmake n d := q in Z.mul n (Z.div (Zpos D) (Zpos d)).

Definition qadd (a b : Q) :=
  let D := common (Qden a) (Qden b) in Qmake (Z.add (whole D a) (whole D b)) D.

Definition Q1 := Qmake (Zpos xH) 1.

Definition qtake (a b : Q) := qadd a (Qopp b).

Definition nonneg (q : Q) := Z.leb Z0 (Qnum q).
Definition nonpos (q : Q) := Z.leb (Qnum q) Z0.

Definition qmax (a b : Q) := if Qle_bool a b then b else a.

(* Layers and forms in integers                                               *)

Definition zlayer := (positive * llayer Z)%type.

Definition zlayer0 : zlayer := (xH, [::]).

Definition integers (l : llayer Q) : zlayer :=
  let D := commons (flatten [seq wb.2 :: wb.1 | wb <- l]) in
  (D, [seq (map (whole D) wb.1, whole D wb.2) | wb <- l]).

Record form := Form { coefs : seq Z; denom : positive; rest : Q }.

Definition pre_form (D : positive) (s : Z) (wb : seq Z * Z) :=
  Form (map (Z.mul s) wb.1) D (Qmake (Z.mul s wb.2) D).

(* a += k w                                                                   *)
Fixpoint axpy (k : Z) (w a : seq Z) : seq Z :=
  match w, a with
  | [::], _ => a
  | u :: w', [::] => Z.mul k u :: axpy k w' [::]
  | u :: w', v :: a' => Z.add v (Z.mul k u) :: axpy k w' a'
  end.

Fixpoint comb (ks : seq Z) (rows : llayer Z) : seq Z :=
  match ks, rows with
  | k :: ks', wb :: rows' =>
    if Z.eqb k Z0 then comb ks' rows' else axpy k wb.1 (comb ks' rows')
  | _, _ => [::]
  end.

Fixpoint shifts (ks : seq Z) (rows : llayer Z) : Z :=
  match ks, rows with
  | k :: ks', wb :: rows' => Z.add (Z.mul k wb.2) (shifts ks' rows')
  | _, _ => Z0
  end.

(* The combination of pre-activations with weights ks / D, as a form.         *)
Definition through (l : zlayer) (ks : seq Z) (D : positive) (q : Q) :=
  let E := Pos.mul D l.1 in
  Form (comb ks l.2) E (qadd q (Qmake (shifts ks l.2) E)).

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation zr := (zr R).
Local Notation ratio := (ratio R).
Local Arguments int_of_Z : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.

Definition zp (p : positive) : R := zr (Zpos p).

Lemma zp_gt0 p : 0 < zp p.
Proof. exact: den_gt0. Qed.

Lemma zp_neq0 p : zp p != 0.
Proof. by rewrite gt_eqF ?zp_gt0. Qed.

Lemma zpM p q : zp (Pos.mul p q) = zp p * zp q.
Proof. by rewrite /zp Pos2Z.inj_mul zrM. Qed.

Lemma ratioE n d : ratio (Qmake n d) = zr n / zp d.
Proof. by []. Qed.

Lemma zr1 : zr (Zpos xH) = 1.
Proof. by []. Qed.

Lemma ratio1 : ratio Q1 = 1.
Proof. by rewrite ratioE divr1. Qed.

Lemma ratio_nonneg q : (0 <= ratio q) = nonneg q.
Proof.
case: q => n d; rewrite ratioE /nonneg /= -(zr_le R) ler_pdivlMr ?zp_gt0 //.
by rewrite mul0r.
Qed.

Lemma ratio_nonpos q : (ratio q <= 0) = nonpos q.
Proof.
case: q => n d; rewrite ratioE /nonpos /= -(zr_le R) ler_pdivrMr ?zp_gt0 //.
by rewrite mul0r.
Qed.

Lemma ratio_le a b : (ratio a <= ratio b) = Qle_bool a b.
Proof.
case: a b => [n d] [n' d']; rewrite !ratioE /Qle_bool /= -(zr_le R) !zrM.
rewrite ler_pdivrMr ?zp_gt0 // mulrAC ler_pdivlMr ?zp_gt0 //.
Qed.

Lemma ratio_opp q : ratio (Qopp q) = - ratio q.
Proof. by case: q => n d; rewrite !ratioE zrN mulNr. Qed.

Lemma ratio_mult a b : ratio (Qmult a b) = ratio a * ratio b.
Proof. by case: a b => [n d] [n' d']; rewrite !ratioE zrM zpM mulf_div. Qed.

Lemma dividesP a b : reflect (Z.divide (Zpos a) (Zpos b)) (divides a b).
Proof. by apply: (iffP (Z.eqb_spec _ _)) => /Z.mod_divide; apply. Qed.

Lemma divides_common a b : divides a (common a b) /\ divides b (common a b).
Proof.
have self c : divides c c by apply/dividesP/Z.divide_refl.
rewrite /common; case: ifP => [ab|_] //; case: ifP => [ba|_] //.
by split; apply/dividesP; rewrite Pos2Z.inj_mul; [apply: Z.divide_factor_l|apply: Z.divide_factor_r].
Qed.

Lemma divides_trans a b c : divides a b -> divides b c -> divides a c.
Proof. by move=> /dividesP ab /dividesP bc; apply/dividesP; apply: Z.divide_trans ab bc. Qed.

Lemma wholeE D q : divides (Qden q) D -> zr (whole D q) = zp D * ratio q.
Proof.
case: q => n d /dividesP[k Dk]; rewrite /whole ratioE zrM /=; rewrite /zp Dk Z.div_mul // zrM.
have := zp_neq0 d; rewrite /zp; move: (zr n) (zr k) (zr (Zpos d)) => a b c c0.
by field.
Qed.

Lemma commons_all (qs : seq Q) : all (fun q => divides (Qden q) (commons qs)) qs.
Proof.
elim: qs => [//|q qs IH] /=; have [-> dqs] := divides_common (Qden q) (commons qs).
by apply: sub_all IH => p /= dp; apply: divides_trans dp dqs.
Qed.

Lemma ratio_add a b : ratio (qadd a b) = ratio a + ratio b.
Proof.
have [da db] := divides_common (Qden a) (Qden b).
by rewrite ratioE zrD !wholeE // -mulrDr mulrAC mulfV ?mul1r ?zp_neq0.
Qed.

Lemma ratio_take a b : ratio (qtake a b) = ratio a - ratio b.
Proof. by rewrite ratio_add ratio_opp. Qed.

Lemma ratio_max a b : ratio (qmax a b) = Num.max (ratio a) (ratio b).
Proof.
rewrite /qmax -ratio_le; case: ifP => [le|]; first by rewrite max_r.
by move/negbT; rewrite -ltNge => /ltW lt; rewrite max_l.
Qed.

(* Forms at the values of a layer, of which some may be missing               *)

Fixpoint rdot (c : seq Z) (h : seq R) : R :=
  match c, h with
  | a :: c', t :: h' => zr a * t + rdot c' h'
  | _, _ => 0
  end.

Definition fvalue (f : form) (h : seq R) : R := rdot (coefs f) h / zp (denom f) + ratio (rest f).

Definition pre (l : zlayer) (h : seq R) (wb : seq Z * Z) : R := (rdot wb.1 h + zr wb.2) / zp l.1.

Definition pres (l : zlayer) (h : seq R) := map (pre l h) l.2.

Definition sends (l : zlayer) (h : seq R) := map (@relu R) (pres l h).

Fixpoint posts (net : seq zlayer) (k : nat) (x : seq R) : seq R :=
  if k is k'.+1 then sends (nth zlayer0 net k') (posts net k' x) else x.

Lemma rdot_nil c : rdot c [::] = 0.
Proof. by case: c. Qed.

Lemma rdot_axpy k w a h : rdot (axpy k w a) h = zr k * rdot w h + rdot a h.
Proof.
elim: w a h => [|u w IH] [|v a] [|t h] /=; rewrite ?mulr0 ?add0r ?addr0 //.
  by rewrite zrM IH addr0 mulrDr mulrA.
rewrite IH zrD zrM; move: (zr v) (zr k) (zr u) (rdot w h) (rdot a h) => p q r y z; ring.
Qed.

Lemma rdot_comb ks l h :
  rdot ks (map (pre l h) l.2) = (rdot (comb ks l.2) h + zr (shifts ks l.2)) / zp l.1.
Proof.
elim: ks l.2 => [|k ks IH] [|wb rows] /=; rewrite ?addr0 ?mul0r // IH.
rewrite zrD zrM; case: Z.eqb_spec => [->|_]; rewrite ?rdot_axpy /pre.
  by rewrite !mul0r !add0r.
have := zp_neq0 l.1; move: (zr k) (rdot wb.1 h) (zr wb.2) (rdot _ h) (zr _) (zp l.1).
by move=> a b c d e f f0; field.
Qed.

Lemma throughP l ks D q h :
  fvalue (through l ks D q) h = rdot ks (pres l h) / zp D + ratio q.
Proof.
rewrite /fvalue /pres rdot_comb ratio_add ratioE !zpM.
have := zp_neq0 l.1; have := zp_neq0 D; move: (rdot _ h) (zr _) (zp l.1) (zp D) (ratio q).
by move=> a b c d e d0 c0; field; rewrite c0 d0.
Qed.

Lemma rdot_scale s c h : rdot (map (Z.mul s) c) h = zr s * rdot c h.
Proof.
elim: c h => [|a c IH] [|t h] /=; rewrite ?mulr0 //.
by rewrite IH zrM mulrDr mulrA.
Qed.

Lemma pre_formP l s wb h : fvalue (pre_form l.1 s wb) h = zr s * pre l h wb.
Proof. by rewrite /fvalue /= rdot_scale ratioE zrM -mulrDl -mulrDr mulrA. Qed.

End Correct.
