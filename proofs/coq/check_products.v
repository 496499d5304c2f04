(******************************************************************************)
(* Products of a layer with many vectors, in all digits: the weights of an    *)
(* input to many units stand in the slots of one integer (check_slots.v), and *)
(* so do the sums. No slot overflows, by a bound on the vectors' entries.     *)
(*                                                                            *)
(*      greatest x == the greatest size |a| of the integers x                 *)
(*       reach A l == what the sums of the layer l do not exceed, in size, if *)
(*                    the inputs do not exceed A                              *)
(* wide_of parts A d l == the layer l with d inputs, packed for inputs within *)
(*                    A; parts is a hint: from the bits of a slot and the     *)
(*                    number of units, sizes of groups and a depth for unpack *)
(*        sums p x == the values of its affine functions at x                 *)
(* widen parts A d zs == layers one above the other, packed                   *)
(*   wforward ps x == what they make of x                                     *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep check_integers check_rough
  check_slots check_packed.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Notation llayer := check_deep.layer.

Local Open Scope Z_scope.

Definition greatest (x : seq Z) := foldr (fun a m => Z.max (Z.abs a) m) Z0 x.

Definition reach (A : Z) (l : llayer Z) :=
  greatest [seq Z.add (Z.mul A (zsizes wb.1)) (Z.abs wb.2) | wb <- l].

(* Units in one integer: for each input their weights, and their biases with  *)
(* half of a slot in each, so that no sum is negative.                        *)
Record block := Block { weights_in : seq Z; biases_in : Z; units_in : nat }.

Record wide := Wide { blocks : seq block; middle : Z; cuts : seq (Z * Z) }.

Definition grouping := Z -> nat -> seq nat * nat.

Definition block_of (B : Z) (d : nat) (l : llayer Z) :=
  Block (quick_columns B d [seq wb.1 | wb <- l]) (quick_pack rounds B [seq Z.add wb.2 (half B) | wb <- l])
    (size l).

Definition wide_of (parts : grouping) (A : Z) (d : nat) (l : llayer Z) : option wide :=
  let B := Z.add (Z.log2 (reach A l)) 2 in
  let hint := parts B (size l) in
  let ls := reshape hint.1 l in
  if (size l <= sumn hint.1)%N && all (fun us => size us <= 2 ^ hint.2)%N ls then
    Some (Wide (map (block_of B d) ls) (half B) (halves B hint.2))
  else None.

Definition sums (p : wide) (x : seq Z) : seq Z :=
  flatten [seq [seq Z.sub v (middle p)
      | v <- take (units_in b) (unpack (cuts p) (zdot (biases_in b) x (weights_in b)) [::])]
    | b <- blocks p].

Fixpoint widen (parts : grouping) (A : Z) (d : nat) (zs : seq (llayer Z)) : option (seq wide) :=
  if zs is l :: zs' then
    if wide_of parts A d l is Some p then
      if widen parts (reach A l) (size l) zs' is Some ps then Some (p :: ps) else None
    else None
  else Some [::].

Definition wforward (ps : seq wide) (x : seq Z) := foldl (fun h p => map zrelu (sums p h)) x ps.

Definition within_size (A : Z) (x : seq Z) := all (fun a => Z.leb (Z.abs a) A) x.

Lemma greatest_ge0 x : 0 <= greatest x.
Proof. by elim: x => [|a x IH] /=; [|lia]. Qed.

Lemma greatestP x a : List.In a x -> Z.abs a <= greatest x.
Proof. by elim: x => [//|b x IH] /= [->|/IH]; lia. Qed.

Lemma within_greatest A x : greatest x <= A -> within_size A x.
Proof.
elim: x => [//|a x IH] /= le_A.
by apply/andP; split; [apply/Z.leb_spec0|apply: IH]; lia.
Qed.

Section Layer.

Variables (parts : grouping) (A : Z) (d : nat) (l : llayer Z) (x : seq Z).
Hypotheses (A0 : 0 <= A) (x_d : size x = d) (xA : within_size A x).

Let B := Z.log2 (reach A l) + 2.

Let B1 : 0 < B. Proof. by have := Z.log2_nonneg (reach A l); rewrite /B; lia. Qed.
Let B0 : 0 <= B. Proof. exact: Z.lt_le_incl. Qed.

Lemma sum_reach wb : List.In wb l -> Z.abs (zdot wb.2 wb.1 x) <= reach A l.
Proof.
move=> /(List.in_map (fun wb : seq Z * Z => A * zsizes wb.1 + Z.abs wb.2)) /greatestP.
by have := @zdot_small A wb.2 wb.1 x A0 xA; rewrite -/(reach A l); lia.
Qed.

Lemma reach_half : reach A l < half B.
Proof.
rewrite (halfE B1); have [r_gt0|r0] : 0 < reach A l \/ reach A l = 0.
- by have : 0 <= reach A l := @greatest_ge0 _; lia.
- have [_] := Z.log2_spec _ r_gt0; rewrite -Z.add_1_r /B.
  by rewrite (_ : _ + 2 - 1 = Z.log2 (reach A l) + 1) //; lia.
by rewrite r0; apply: Z.pow_pos_nonneg; lia.
Qed.

Lemma sumsE p : wide_of parts A d l = Some p -> sums p x = zaffine l x.
Proof.
rewrite /wide_of -/B; set ls := reshape _ l; case: ifP => // /andP[/reshapeKr le fits] [<-].
rewrite /sums /= -map_comp /zaffine -[in RHS]le map_flatten -/ls; congr flatten.
have ls_l us : List.In us ls -> forall wb, List.In wb us -> List.In wb l.
  rewrite -[in X in _ -> X]le -/ls; elim: (ls) => [//|vs ls' IH] /= [->|/IH in_l] wb /= wb_us.
    by apply: List.in_or_app; left.
  by apply: List.in_or_app; right; apply: in_l.
elim: ls ls_l fits => [//|us ls IH] ls_l /= /andP[us_n fits].
rewrite IH => // [|vs vs_ls]; last by apply: ls_l; right.
congr cons.
rewrite /block_of /= quick_columnsE // quick_packE // zdot_acc columnsE // -map_comp.
set f := fun wb : seq Z * Z => zdot wb.2 wb.1 x + half B.
have -> : pack B [seq wb.2 + half B | wb <- us] + pack B [seq zdot 0 w.1 x | w <- us]
    = pack B (map f us).
  by rewrite -packD //; congr pack; apply: eq_map => wb; rewrite /f [in RHS]zdot_acc; lia.
rewrite -[size us](size_map f) unpack_take ?size_map //.
- by rewrite -map_comp; apply: eq_map => wb; rewrite /f /=; lia.
move=> v /List.in_map_iff [wb [<- /ls_l in_l]].
have := sum_reach (in_l (or_introl erefl)); have := reach_half; have := half_twice B1.
by rewrite /f; lia.
Qed.

End Layer.

Lemma widen_take parts A d zs ps k :
  widen parts A d zs = Some ps -> widen parts A d (take k zs) = Some (take k ps).
Proof.
elim: zs A d ps k => [|l zs IH] A d ps k /=; first by case=> <-.
case E: wide_of => [p|//]; case F: widen => [qs|//] [<-]; case: k => [//|k] /=.
by rewrite E (IH _ _ _ _ F).
Qed.

(* The layers one above the other                                             *)
Lemma wforwardE parts A d zs ps x : widen parts A d zs = Some ps -> 0 <= A ->
  size x = d -> within_size A x -> wforward ps x = zforward zs x.
Proof.
elim: zs A d ps x => [|l zs IH] A d ps x /=; first by move=> [<-].
case pE: wide_of => [p|//]; case psE: widen => [qs|//] [<-] A0 x_d xA.
rewrite /wforward /zforward /= (sumsE A0 x_d xA pE); apply: IH psE _ _ _.
- exact: greatest_ge0.
- by rewrite !size_map.
have : forall wb, List.In wb l -> Z.abs (zdot wb.2 wb.1 x) <= reach A l.
  by move=> wb; apply: sum_reach.
elim: {pE} l (reach A l) => [//|wb l' IHl] m le_m /=; apply/andP; split.
  by have := le_m wb (or_introl erefl); rewrite /zrelu => ?; apply/Z.leb_spec0; lia.
by apply: IHl => vb vb_l; apply: le_m; right.
Qed.
