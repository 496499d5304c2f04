(******************************************************************************)
(* An executable twin of net.v: nets as lists, over any type of scalars. It   *)
(* runs over the binary rationals Q by vm_compute; the theorems say that it   *)
(* computes the definitions of net.v.                                         *)
(*                                                                            *)
(*       ops T == the scalar operations: 0, +, *, opposite, relu              *)
(*    unit T == a hidden unit (w, b, a), with w and a lists                   *)
(*   leval o us c x == the output of the net with units us and shift c at x   *)
(* lcircuit o m us J x == the output, of length m, of the units of us that    *)
(*                    the list of booleans J selects                          *)
(*  lsse o us c zys == the summed squared error on the pairs (z_i, y_i)       *)
(*        Qops == the operations of Q, in lowest terms                        *)
(*        Rops R == those of a realFieldType                                  *)
(*       row v, units theta == the lists of a row vector and of a net         *)
(*        ratio R q == the value of q : Q in R                                *)
(*   leval_correct == leval over R is eval                                    *)
(* lcircuit_correct == lcircuit over R is circuit_out                         *)
(*    lsse_correct == N^-1 * lsse over R is loss                              *)
(*       leval_ratio, lcircuit_ratio, lsse_ratio == computing over Q, then    *)
(*                    taking values in R, is computing over R                 *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Record ops (T : Type) := Ops {
  oz : T; oadd : T -> T -> T; omul : T -> T -> T; oopp : T -> T; orelu : T -> T
}.

Definition unit (T : Type) : Type := seq T * T * seq T.

Section Lists.

Variables (T : Type) (o : ops T).

Definition lvadd (u v : seq T) := [seq oadd o p.1 p.2 | p <- zip u v].

Definition lscale (c : T) (v : seq T) := [seq omul o c t | t <- v].

Definition ldot (u v : seq T) :=
  foldr (oadd o) (oz o) [seq omul o p.1 p.2 | p <- zip u v].

Definition lterm (x : seq T) (un : unit T) :=
  lscale (orelu o (oadd o (ldot un.1.1 x) un.1.2)) un.2.

Definition leval (us : seq (unit T)) (c x : seq T) :=
  foldr (fun un acc => lvadd (lterm x un) acc) c us.

Definition lcircuit (m : nat) (us : seq (unit T)) (J : seq bool) (x : seq T) :=
  leval (mask J us) (nseq m (oz o)) x.

Definition lsqdist (u v : seq T) :=
  let r := lvadd u [seq oopp o t | t <- v] in ldot r r.

Definition lsse (us : seq (unit T)) (c : seq T) (zys : seq (seq T * seq T)) :=
  foldr (oadd o) (oz o) [seq lsqdist (leval us c zy.1) zy.2 | zy <- zys].

End Lists.

(* A map of scalars that respects the operations respects the evaluation.     *)
Section Morphism.

Variables (S T : Type) (o : ops S) (o' : ops T) (f : S -> T).
Hypothesis f0 : f (oz o) = oz o'.
Hypothesis fD : forall a b, f (oadd o a b) = oadd o' (f a) (f b).
Hypothesis fM : forall a b, f (omul o a b) = omul o' (f a) (f b).
Hypothesis fN : forall a, f (oopp o a) = oopp o' (f a).
Hypothesis fR : forall a, f (orelu o a) = orelu o' (f a).

Definition map_unit (un : unit S) : unit T :=
  (map f un.1.1, f un.1.2, map f un.2).

Lemma lvadd_map u v : lvadd o' (map f u) (map f v) = map f (lvadd o u v).
Proof.
elim: u v => [|a u IH] [|b v] //; rewrite /lvadd /= -fD; congr cons; exact: IH.
Qed.

Lemma ldot_map u v : ldot o' (map f u) (map f v) = f (ldot o u v).
Proof.
elim: u v => [|a u IH] [|b v] //=; rewrite /ldot /= fD fM; congr (oadd _ _ _).
exact: IH.
Qed.

Lemma leval_map us c x :
  leval o' (map map_unit us) (map f c) (map f x) = map f (leval o us c x).
Proof.
elim: us => [//|un us IH] /=; rewrite IH -lvadd_map; congr (lvadd _ _ _).
rewrite /lterm /lscale /= ldot_map -fD -fR -!map_comp; apply: eq_map => t /=.
by rewrite fM.
Qed.

Lemma lcircuit_map m us J x :
  lcircuit o' m (map map_unit us) J (map f x) = map f (lcircuit o m us J x).
Proof. by rewrite /lcircuit -leval_map map_mask map_nseq f0. Qed.

Lemma lsse_map us c zys :
  lsse o' (map map_unit us) (map f c) [seq (map f p.1, map f p.2) | p <- zys]
  = f (lsse o us c zys).
Proof.
elim: zys => [|[z y] zys IH] /=; first by rewrite /lsse /= f0.
rewrite /lsse /= fD; congr (oadd _ _ _); last exact: IH.
rewrite /lsqdist -ldot_map leval_map -lvadd_map -!map_comp.
congr (ldot _ (lvadd _ _ _) (lvadd _ _ _)); apply: eq_map => t /=.
  by rewrite fN.
by rewrite fN.
Qed.

End Morphism.

(* 0 : Q is written out, since mathcomp takes the delimiter Q for rat.        *)
Definition Q0 := Qmake Z0 1.

Definition Qops := Ops Q0
  (fun a b => Qred (Qplus a b)) (fun a b => Qred (Qmult a b))
  (fun a => Qred (Qopp a)) (fun a => if Qle_bool Q0 a then a else Q0).

Local Open Scope ring_scope.

Section Reals.

Variable R : realFieldType.

Definition Rops := Ops (0 : R) +%R *%R -%R (@relu R).

Definition row k (v : 'rV[R]_k) : seq R := [seq v 0 i | i <- enum 'I_k].

Definition units d m n (theta : net R d m n) : seq (unit R) :=
  [seq (row (inw theta j), bias theta j, row (outw theta j)) | j <- enum 'I_n].

Lemma zip_map (A B C : Type) (g : A -> B) (h : A -> C) s :
  zip (map g s) (map h s) = [seq (g a, h a) | a <- s].
Proof. by elim: s => [|a s IH] //=; rewrite IH. Qed.

Lemma lvadd_row k (u v : 'rV[R]_k) : lvadd Rops (row u) (row v) = row (u + v).
Proof.
by rewrite /lvadd zip_map -map_comp; apply: eq_map => i /=; rewrite mxE.
Qed.

Lemma lscale_row k c (v : 'rV[R]_k) : lscale Rops c (row v) = row (c *: v).
Proof. by rewrite /lscale -map_comp; apply: eq_map => i /=; rewrite mxE. Qed.

Lemma ldot_row k (u v : 'rV[R]_k) : ldot Rops (row u) (row v) = dot u v.
Proof. by rewrite /ldot zip_map -map_comp foldrE big_map big_enum. Qed.

Lemma leval_seq d m n (theta : net R d m n) (s : seq 'I_n) c x :
  leval Rops
    [seq (row (inw theta j), bias theta j, row (outw theta j)) | j <- s]
    (row c) (row x)
  = row (\sum_(j <- s) act theta j x *: outw theta j + c).
Proof.
elim: s => [|j s IH] /=; first by rewrite big_nil add0r.
by rewrite IH big_cons -addrA /lterm /= ldot_row lscale_row lvadd_row.
Qed.

Theorem leval_correct d m n (theta : net R d m n) x :
  leval Rops (units theta) (row (shift theta)) (row x) = row (eval theta x).
Proof. by rewrite leval_seq big_enum addrC. Qed.

Theorem lcircuit_correct d m n (theta : net R d m n) (J : {set 'I_n}) x :
  lcircuit Rops m (units theta) [seq j \in J | j <- enum 'I_n] (row x)
  = row (circuit_out theta J x).
Proof.
rewrite /lcircuit; have -> : nseq m (oz Rops) = row (0 : 'rV[R]_m).
  rewrite /row; under eq_map do rewrite mxE.
  by rewrite -{1}(size_enum_ord m); elim: (enum _) => //= ? ? ->.
rewrite /units -map_mask -filter_mask leval_seq addr0.
by rewrite big_filter big_enum_cond; congr (row _); apply: eq_bigl.
Qed.

Theorem lsse_correct d m n N (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m)
    (theta : net R d m n) :
  N%:R^-1 * lsse Rops (units theta) (row (shift theta))
              [seq (row (z i), row (y i)) | i <- enum 'I_N] = loss z y theta.
Proof.
rewrite /lsse -map_comp foldrE big_map big_enum /=; congr (_ * _).
apply: eq_bigr => i _; rewrite /lsqdist leval_correct.
have -> : [seq - t | t <- row (y i)] = row (- y i).
  by rewrite /row -map_comp; apply: eq_map => k /=; rewrite mxE.
by rewrite lvadd_row ldot_row; apply: eq_bigr => k _; rewrite expr2.
Qed.

(* The values of Q in R                                                       *)

Local Arguments int_of_Z : simpl never.

Definition ratio (q : Q) : R :=
  (int_of_Z (Qnum q))%:~R / (int_of_Z (Zpos (Qden q)))%:~R.

Lemma int_of_ZM a b : int_of_Z (Z.mul a b) = int_of_Z a * int_of_Z b.
Proof. exact: rmorphM. Qed.

Lemma int_of_ZD a b : int_of_Z (Z.add a b) = int_of_Z a + int_of_Z b.
Proof. exact: rmorphD. Qed.

Lemma int_of_ZN a : int_of_Z (Z.opp a) = - int_of_Z a.
Proof. exact: rmorphN. Qed.

Lemma den_gt0 p : 0 < (int_of_Z (Zpos p))%:~R :> R.
Proof. rewrite ltr0z -[int_of_Z _]/(Posz (Pos.to_nat p)) ltz_nat.
exact/ssrnat.ltP/Pos2Nat.is_pos. Qed.

Lemma den_neq0 p : (int_of_Z (Zpos p))%:~R != 0 :> R.
Proof. by rewrite gt_eqF ?den_gt0. Qed.

Lemma ratio_eq a b : Qeq a b -> ratio a = ratio b.
Proof.
rewrite /Qeq => eq_ab; apply/eqP; rewrite eqr_div ?den_neq0 //.
by rewrite -!intrM -!int_of_ZM eq_ab.
Qed.

Lemma ratioD a b : ratio (Qred (Qplus a b)) = ratio a + ratio b.
Proof.
rewrite (ratio_eq (Qred_correct _)) /ratio addf_div ?den_neq0 //=.
by rewrite Pos2Z.inj_mul !int_of_ZM int_of_ZD !int_of_ZM !intrM intrD !intrM.
Qed.

Lemma ratioM a b : ratio (Qred (Qmult a b)) = ratio a * ratio b.
Proof.
rewrite (ratio_eq (Qred_correct _)) /ratio mulf_div /=.
by rewrite Pos2Z.inj_mul !int_of_ZM !intrM.
Qed.

Lemma ratioN a : ratio (Qred (Qopp a)) = - ratio a.
Proof.
by rewrite (ratio_eq (Qred_correct _)) /ratio /= int_of_ZN rmorphN mulNr.
Qed.

Lemma ratio0 : ratio Q0 = 0.
Proof. by rewrite /ratio /= mul0r. Qed.

Lemma ratio_relu a : ratio (orelu Qops a) = relu (ratio a).
Proof.
case: a => [[|p|p] q] /=.
- by rewrite /ratio /= mul0r relu_0.
- by rewrite relu_id // /ratio ltW // divr_gt0 ?den_gt0.
rewrite ratio0 relu_0 // /ratio /= -Pos2Z.opp_pos int_of_ZN.
by rewrite rmorphN mulNr oppr_le0 ltW // divr_gt0 ?den_gt0.
Qed.

Let toR := map_unit ratio.

Theorem leval_ratio us c x :
  leval Rops (map toR us) (map ratio c) (map ratio x)
  = map ratio (leval Qops us c x).
Proof.
exact: (@leval_map _ _ Qops Rops ratio ratio0 ratioD ratioM ratio_relu).
Qed.

Theorem lcircuit_ratio m us J x :
  lcircuit Rops m (map toR us) J (map ratio x)
  = map ratio (lcircuit Qops m us J x).
Proof.
exact: (@lcircuit_map _ _ Qops Rops ratio ratio0 ratioD ratioM ratio_relu).
Qed.

Theorem lsse_ratio us c zys :
  lsse Rops (map toR us) (map ratio c)
    [seq (map ratio p.1, map ratio p.2) | p <- zys]
  = ratio (lsse Qops us c zys).
Proof.
exact: (@lsse_map _ _ Qops Rops ratio ratio0 ratioD ratioM ratioN ratio_relu).
Qed.

End Reals.

(* |t - 1/2| as a net of two units, at t = -3/2.                              *)
Example leval_run (one := Qmake (Zpos 1) 1) :
  leval Qops [:: ([:: one], Qmake (Zneg 1) 2, [:: one]);
                 ([:: Qmake (Zneg 1) 1], Qmake (Zpos 1) 2, [:: one])]
    [:: Q0] [:: Qmake (Zneg 3) 2] = [:: Qmake (Zpos 2) 1].
Proof. by vm_compute. Qed.
