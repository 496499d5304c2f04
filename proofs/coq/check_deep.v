(******************************************************************************)
(* Deep nets: what enters the last hidden layer at each input. A deep net is  *)
(* a net of S_n on these features, so that the checkers of check_nets.v and   *)
(* check_losses.v speak of circuits of its last hidden layer.                 *)
(*                                                                            *)
(*    layer T == a list of rows of weights, each with its bias                *)
(* lforward o ls x == the values after the layers ls, each followed by relu   *)
(*    lwidth d ls == the number of these values, for inputs of dimension d    *)
(*     lfits d ls == the layers fit on one another                            *)
(* check_features == and the inputs fit on the first                          *)
(* features ls v == the same over R, for a row vector v                       *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition layer (T : Type) : Type := seq (seq T * T).

Section Lists.

Variables (T : Type) (o : ops T).

Definition laffine (l : layer T) (x : seq T) :=
  [seq oadd o (ldot o wb.1 x) wb.2 | wb <- l].

Definition lforward (ls : seq (layer T)) (x : seq T) :=
  foldl (fun v l => map (orelu o) (laffine l v)) x ls.

End Lists.

Fixpoint lwidth (d : nat) (ls : seq (layer Q)) : nat :=
  if ls is l :: ls' then lwidth (size l) ls' else d.

Fixpoint lfits (d : nat) (ls : seq (layer Q)) : bool :=
  if ls is l :: ls' then
    all (fun wb => size wb.1 == d) l && lfits (size l) ls' else true.

Definition check_features (d N : nat) ls zs := lfits d ls && sized d N zs.

Definition lrow0 : seq Q * Q := ([::], Q0).

Local Open Scope ring_scope.

Section Deep.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).

Definition relu_layer d (l : layer Q) (v : 'rV[R]_d) : 'rV[R]_(size l) :=
  \row_j relu (dot (vec d (nth lrow0 l j).1) v + ratio (nth lrow0 l j).2).

Fixpoint features d (ls : seq (layer Q)) : 'rV[R]_d -> 'rV[R]_(lwidth d ls) :=
  if ls is l :: ls' then fun v => features ls' (relu_layer l v) else id.

Lemma relu_layer_vec d l x : all (fun wb => size wb.1 == d) l -> size x = d ->
  relu_layer l (vec d x) = vec (size l) (map (orelu Qops) (laffine Qops l x)).
Proof.
move=> /all_nthP l_d x_d; apply/rowP=> j; rewrite !mxE.
have j_l := ltn_ord j; have /eqP w_d := l_d lrow0 j j_l.
rewrite (nth_map Q0) ?size_map // (nth_map lrow0) // ratio_relu ratioD.
congr (relu (_ + _)); rewrite -ldot_row (row_vec _ w_d) (row_vec _ x_d).
by rewrite ldot_ratio.
Qed.

Lemma features_vec d ls x : lfits d ls -> size x = d ->
  size (lforward Qops ls x) = lwidth d ls
  /\ features ls (vec d x) = vec (lwidth d ls) (lforward Qops ls x).
Proof.
elim: ls d x => [//|l ls IH] d x /= /andP[l_d ls_d] x_d.
by rewrite relu_layer_vec //; apply: IH; rewrite ?size_map.
Qed.

Theorem C2_check_features d N ls zs : check_features d N ls zs ->
  points R (lwidth d ls) N (map (lforward Qops ls) zs)
  =1 fun i => features ls (points R d N zs i).
Proof.
case/andP=> ls_d zs_d i; rewrite /points.
have [_ ->] := features_vec ls_d (sized_nth zs_d i).
have /andP[/eqP zs_N _] := zs_d.
by rewrite (nth_map [::]) ?zs_N.
Qed.

End Deep.
