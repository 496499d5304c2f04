(******************************************************************************)
(* Shallow ReLU networks, their training data, and circuits.                  *)
(*                                                                            *)
(* R is any realFieldType; d, m, n, N are the input dimension, the output     *)
(* dimension, the number of hidden units and the number of training examples. *)
(* All four may be 0. Inputs may repeat.                                      *)
(*                                                                            *)
(*          relu t == max(0, t)                                               *)
(*         dot u v == the scalar product of two row vectors                   *)
(*        normsq v == the squared Euclidean norm |v|^2                        *)
(*       net R d m n == S_n: the nets with n hidden units; a record of        *)
(*                    inw (w_j), bias (b_j), outw (a_j) and shift (c)         *)
(*   act theta j x == relu(w_j . x + b_j), the activation of unit j           *)
(* circuit_out theta J x == the sum over j in J of act theta j x *: a_j       *)
(*    eval theta x == the output of the net: c + circuit_out of all units     *)
(*       mse z y f == (1/N) sum_i |f(z_i) - y_i|^2, for any function f        *)
(*  loss z y theta == L(theta) = mse of the function of the net               *)
(*          nu z u == the multiplicity of u among the inputs z_i              *)
(*      gsum z r u == the sum of r_i over the examples i with z_i = u         *)
(*     gmean z r u == the mean of r_i over the examples i with z_i = u;       *)
(*                    gmean z y u is the mean target of the group of u        *)
(*       floor z y == E, the noise floor: mse of the mean target              *)
(*    gres z y f u == the group residual gmean z y u - f u                    *)
(* idle_at z theta J v == J puts out v on every training input                *)
(* train_idle z theta J == J puts out one value on all training inputs        *)
(* fires z theta J x == the value of J at x is none it takes in training:     *)
(*                    J is idle at some v, and its value at x is not v        *)
(* hardcode theta J v == a_j := 0 for j in J, and c := c + v                  *)
(* reassign theta J w b a c == the net with the parameters w, b, a on J, the  *)
(*                    shift c, and the parameters of theta off J              *)
(*  off J theta theta' == theta and theta' have the same units off J          *)
(* differ_on J theta theta' == off, and the same shift c too                  *)
(* add_unit theta w b a == one more hidden unit, at index 0                   *)
(* keep theta A c == the net of the units in A, with shift c                  *)
(* minimiser z y theta == theta has the least loss in its S_n                 *)
(*        P1 z y n == the premise: every net in S_n is beaten by a wider one  *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Vectors.

Variable R : realFieldType.
Implicit Types (t : R).

Definition relu t : R := Num.max 0 t.

Lemma relu_id t : 0 <= t -> relu t = t.
Proof. by move=> t_ge0; rewrite /relu max_r. Qed.

Lemma relu_0 t : t <= 0 -> relu t = 0.
Proof. by move=> t_le0; rewrite /relu max_l. Qed.

Lemma relu_ge0 t : 0 <= relu t.
Proof. by rewrite /relu le_max lexx. Qed.

Lemma relu_gt0 t : (0 < relu t) = (0 < t).
Proof. by rewrite /relu lt_max ltxx. Qed.

Definition dot d (u v : 'rV[R]_d) : R := \sum_k u 0 k * v 0 k.

Lemma dotDl d (u v x : 'rV[R]_d) : dot (u + v) x = dot u x + dot v x.
Proof.
by rewrite /dot -big_split; apply: eq_bigr => k _; rewrite mxE mulrDl.
Qed.

Lemma dotZl d a (u x : 'rV[R]_d) : dot (a *: u) x = a * dot u x.
Proof. by rewrite /dot mulr_sumr; apply: eq_bigr => k _; rewrite mxE mulrA. Qed.

Lemma dot0l d (x : 'rV[R]_d) : dot 0 x = 0.
Proof. by rewrite -(scale0r 0) dotZl mul0r. Qed.

Lemma dotC d (u v : 'rV[R]_d) : dot u v = dot v u.
Proof. by apply: eq_bigr => k _; rewrite mulrC. Qed.

Lemma dotDr d (u v x : 'rV[R]_d) : dot x (u + v) = dot x u + dot x v.
Proof. by rewrite dotC dotDl !(dotC x). Qed.

Lemma dotZr d a (u x : 'rV[R]_d) : dot x (a *: u) = a * dot x u.
Proof. by rewrite dotC dotZl (dotC x). Qed.

Lemma dotBr d (u v x : 'rV[R]_d) : dot x (u - v) = dot x u - dot x v.
Proof. by rewrite dotDr -scaleN1r dotZr mulN1r. Qed.

Lemma dot0r d (x : 'rV[R]_d) : dot x 0 = 0.
Proof. by rewrite dotC dot0l. Qed.

Lemma dot_sumr d (I : Type) (r : seq I) (P : pred I) (F : I -> 'rV[R]_d) x :
  dot x (\sum_(i <- r | P i) F i) = \sum_(i <- r | P i) dot x (F i).
Proof. by apply: big_morph => [u v|]; rewrite ?dotDr ?dot0r. Qed.

Lemma coordB m (u v : 'rV[R]_m) k : (u - v) 0 k = u 0 k - v 0 k.
Proof. by rewrite !mxE. Qed.

Definition normsq m (v : 'rV[R]_m) : R := \sum_k v 0 k ^+ 2.

Lemma normsq_ge0 m (v : 'rV[R]_m) : 0 <= normsq v.
Proof. by apply: sumr_ge0 => k _; apply: sqr_ge0. Qed.

Lemma normsq_eq0 m (v : 'rV[R]_m) : (normsq v == 0) = (v == 0).
Proof.
apply/idP/eqP => [|->]; last first.
  by rewrite /normsq big1 // => k _; rewrite mxE expr0n.
rewrite psumr_eq0 => [/allP v0|k _]; last exact: sqr_ge0.
apply/rowP=> k; apply/eqP; rewrite mxE -sqrf_eq0.
by apply: v0; rewrite mem_index_enum.
Qed.

Lemma dot_normsq m (v : 'rV[R]_m) : dot v v = normsq v.
Proof. by apply: eq_bigr => k _; rewrite expr2. Qed.

Lemma normsq1 (v : 'rV[R]_1) : normsq v = v 0 0 ^+ 2.
Proof. by rewrite /normsq big_ord1. Qed.

Lemma normsq_gt0 m (v : 'rV[R]_m) : (0 < normsq v) = (v != 0).
Proof. by rewrite lt0r normsq_ge0 andbT normsq_eq0. Qed.

Lemma normsqZ m a (v : 'rV[R]_m) : normsq (a *: v) = a ^+ 2 * normsq v.
Proof.
by rewrite /normsq mulr_sumr; apply: eq_bigr => k _; rewrite mxE exprMn.
Qed.

Lemma normsqN m (v : 'rV[R]_m) : normsq (- v) = normsq v.
Proof. by apply: eq_bigr => k _; rewrite mxE sqrrN. Qed.

Lemma normsqBC m (u v : 'rV[R]_m) : normsq (u - v) = normsq (v - u).
Proof. by rewrite -opprB normsqN. Qed.

Lemma normsqB m (u v : 'rV[R]_m) :
  normsq (u - v) = normsq u - dot u v *+ 2 + normsq v.
Proof.
rewrite /normsq /dot -sumrMnl -sumrB -big_split; apply: eq_bigr => i _ /=.
by rewrite coordB; move: (u 0 i) (v 0 i) => s t; ring.
Qed.

Lemma cauchy m (u v : 'rV[R]_m) : dot u v ^+ 2 <= normsq u * normsq v.
Proof.
have [->|v_neq0] := eqVneq v 0.
  by rewrite dot0r expr0n mulr_ge0 ?normsq_ge0.
have v_gt0 : 0 < normsq v by rewrite normsq_gt0.
have := normsq_ge0 (normsq v *: u - dot u v *: v).
rewrite normsqB !normsqZ dotZl dotZr => sq_ge0.
rewrite -subr_ge0 -(pmulr_rge0 _ v_gt0); apply: le_trans sq_ge0 _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

End Vectors.

(* The dimensions come first so that net R d m n reads as S_n.                *)
Record net (R : realFieldType) (d m n : nat) := Net {
  inw : 'I_n -> 'rV[R]_d;
  bias : 'I_n -> R;
  outw : 'I_n -> 'rV[R]_m;
  shift : 'rV[R]_m
}.

Section Nets.

Variables (R : realFieldType) (d m : nat).

Section OneNet.

Variable n : nat.
Implicit Types (theta : net R d m n) (J : {set 'I_n}) (x : 'rV[R]_d).

Definition act theta j x := relu (dot (inw theta j) x + bias theta j).

Definition circuit_out theta J x := \sum_(j in J) act theta j x *: outw theta j.

Definition eval theta x := shift theta + \sum_j act theta j x *: outw theta j.

Lemma eval_circuit theta J x :
  eval theta x
  = shift theta + circuit_out theta J x + circuit_out theta (~: J) x.
Proof.
rewrite /eval -addrA; congr (_ + _).
rewrite (bigID (mem J)) /=; congr (_ + _).
by apply: eq_bigl => j; rewrite inE.
Qed.

Definition hardcode theta J v :=
  Net (inw theta) (bias theta)
      (fun j => if j \in J then 0 else outw theta j) (shift theta + v).

Definition reassign theta J w b a c :=
  Net (fun j => if j \in J then w j else inw theta j)
      (fun j => if j \in J then b j else bias theta j)
      (fun j => if j \in J then a j else outw theta j) c.

Definition off J theta theta' := forall j, j \notin J ->
  [/\ inw theta' j = inw theta j, bias theta' j = bias theta j
    & outw theta' j = outw theta j].

Definition differ_on J theta theta' :=
  off J theta theta' /\ shift theta' = shift theta.

Lemma off_reassign theta J w b a c : off J theta (reassign theta J w b a c).
Proof. by move=> j /negbTE /= ->. Qed.

Lemma off_hardcode theta J v : off J theta (hardcode theta J v).
Proof. by move=> j /negbTE /= ->. Qed.

Lemma off_trans J theta1 theta2 theta3 :
  off J theta1 theta2 -> off J theta2 theta3 -> off J theta1 theta3.
Proof.
by move=> off12 off23 j jJ; have [<- <- <-] := off12 j jJ; apply: off23.
Qed.

Lemma off_sub J J' theta theta' :
  J \subset J' -> off J theta theta' -> off J' theta theta'.
Proof.
move=> /subsetP sJ offJ j jJ'; apply: offJ.
by apply: contra jJ' => /sJ.
Qed.

Lemma circuit_out_off J theta theta' x :
  off J theta theta' ->
  circuit_out theta' (~: J) x = circuit_out theta (~: J) x.
Proof.
move=> offJ; apply: eq_bigr => j; rewrite inE => jJ.
by rewrite /act; have [-> -> ->] := offJ j jJ.
Qed.

Lemma eval_hardcode theta J v x :
  eval (hardcode theta J v) x = shift theta + v + circuit_out theta (~: J) x.
Proof.
rewrite (eval_circuit _ J) /= (circuit_out_off _ (@off_hardcode _ _ _)).
by rewrite [X in _ + X + _]big1 ?addr0 // => j /= ->; rewrite scaler0.
Qed.

Definition add_unit theta w b a : net R d m n.+1 :=
  Net (fun j => if unlift ord0 j is Some k then inw theta k else w)
      (fun j => if unlift ord0 j is Some k then bias theta k else b)
      (fun j => if unlift ord0 j is Some k then outw theta k else a)
      (shift theta).

End OneNet.

Definition keep n (theta : net R d m n) (A : {set 'I_n}) c : net R d m #|A| :=
  Net (fun k => inw theta (enum_val k)) (fun k => bias theta (enum_val k))
      (fun k => outw theta (enum_val k)) c.

Lemma eval_keep n (theta : net R d m n) (A : {set 'I_n}) c x :
  eval (keep theta A c) x = c + circuit_out theta A x.
Proof. by rewrite /eval /circuit_out /act /= [in RHS]big_enum_val. Qed.

Lemma eval_add_unit n (theta : net R d m n) w b a x :
  eval (add_unit theta w b a) x = eval theta x + relu (dot w x + b) *: a.
Proof.
rewrite /eval big_ord_recl /act /= unlift_none addrCA addrC; congr (_ + _ + _).
by apply: eq_bigr => j _; rewrite liftK.
Qed.

End Nets.

Section Data.

Variables (R : realFieldType) (d N : nat) (z : 'I_N -> 'rV[R]_d).

(* Groups of equal inputs                                                     *)

Definition nu u := #|[pred i | z i == u]|.

Definition gsum (V : zmodType) (r : 'I_N -> V) u := \sum_(i | z i == u) r i.

Definition gmean (V : lmodType R) (r : 'I_N -> V) u :=
  (nu u)%:R^-1 *: gsum r u.

Lemma nu_gt0 i : (0 < nu (z i))%N.
Proof. by apply/card_gt0P; exists i; rewrite inE. Qed.

Lemma nu_neq0 i : (nu (z i))%:R != 0 :> R.
Proof. by rewrite pnatr_eq0 -lt0n nu_gt0. Qed.

Lemma gsum_gmean (V : lmodType R) (r : 'I_N -> V) i :
  gsum r (z i) = (nu (z i))%:R *: gmean r (z i).
Proof. by rewrite /gmean scalerA divff ?nu_neq0 // scale1r. Qed.

Lemma gmean_eq0 (V : lmodType R) (r : 'I_N -> V) i :
  (gmean r (z i) == 0) = (gsum r (z i) == 0).
Proof. by rewrite gsum_gmean [in RHS]scaler_eq0 (negbTE (nu_neq0 i)). Qed.

(* A sum against a function of the input sees only the group means.           *)
Lemma sum_gmean (V : lmodType R) (r : 'I_N -> V) (g : 'rV[R]_d -> R) :
  \sum_i g (z i) *: r i = \sum_i g (z i) *: gmean r (z i).
Proof.
transitivity (\sum_i \sum_(j | z i == z j)
                (g (z j) / (nu (z j))%:R) *: r j); last first.
  apply: eq_bigr => i _; rewrite /gmean /gsum scalerA scaler_sumr.
  apply: eq_big => [j|j /eqP-> //]; exact: eq_sym.
rewrite (exchange_big_dep xpredT) //=; apply: eq_bigr => j _.
rewrite sumr_const -scaler_nat scalerA mulrC -mulrA mulVf ?mulr1 //.
exact: nu_neq0.
Qed.

Section Targets.

Variables (m : nat) (y : 'I_N -> 'rV[R]_m).

Definition mse (f : 'rV[R]_d -> 'rV[R]_m) : R :=
  N%:R^-1 * \sum_i normsq (f (z i) - y i).

Definition floor : R := mse (gmean y).

Definition gres (f : 'rV[R]_d -> 'rV[R]_m) u := gmean y u - f u.

Lemma gmeanE u k : gmean y u 0 k = gmean (fun i => y i 0 k : R^o) u.
Proof. by rewrite mxE summxE. Qed.

Lemma gsum_gres f i :
  (nu (z i))%:R *: gres f (z i) = gsum (fun j => y j - f (z j)) (z i).
Proof.
rewrite scalerBr -gsum_gmean /gsum big_split /= sumrN; congr (_ - _).
rewrite (eq_bigr (fun=> f (z i))) => [|j /eqP-> //].
by rewrite sumr_const scaler_nat.
Qed.

Lemma gres_gmean f i : gres f (z i) = gmean (fun j => y j - f (z j)) (z i).
Proof. by rewrite /gmean -gsum_gres scalerA mulVf ?scale1r ?nu_neq0. Qed.

(* The identity behind the noise floor: L - E = (1/N) sum_i |rbar_g(i)|^2.    *)
Lemma mse_floor f :
  mse f = floor + N%:R^-1 * \sum_i normsq (gres f (z i)).
Proof.
rewrite /floor /mse -mulrDr -big_split /=; congr (_ * _).
rewrite /normsq -(eq_bigr _ (fun i _ => big_split _ _ _ _ _)) /=.
rewrite exchange_big [RHS]exchange_big /=; apply: eq_bigr => k _.
pose g u : R := gmean y u 0 k; pose h u : R := g u - f u 0 k.
have cross : \sum_i h (z i) * (g (z i) - y i 0 k) = 0.
  have /= E := sum_gmean (fun i => y i 0 k : R^o) h.
  under eq_bigr do rewrite mulrBr.
  rewrite sumrB; apply/eqP; rewrite subr_eq0; apply/eqP.
  by rewrite E; apply: eq_bigr => i _; rewrite /g gmeanE.
have -> : \sum_i (f (z i) - y i) 0 k ^+ 2
  = \sum_i (((gmean y (z i) - y i) 0 k ^+ 2 + gres f (z i) 0 k ^+ 2)
             - (h (z i) * (g (z i) - y i 0 k)) *+ 2).
  apply: eq_bigr => i _; rewrite /h /g /gres !coordB.
  by move: (gmean y (z i) 0 k : R) (f _ 0 k : R) (y i 0 k : R) => a b c; ring.
by rewrite sumrB sumrMnl cross mul0rn subr0.
Qed.

Lemma floor_le f : floor <= mse f.
Proof.
rewrite mse_floor lerDl mulr_ge0 ?invr_ge0 ?ler0n //.
by apply: sumr_ge0 => i _; apply: normsq_ge0.
Qed.

(* The same identity over the distinct inputs, weighted by multiplicity.      *)
Lemma sum_distinct (V : zmodType) (F : 'rV[R]_d -> V) :
  \sum_i F (z i) = \sum_(u <- undup (map z (enum 'I_N))) F u *+ nu u.
Proof.
rewrite [RHS](eq_big_seq (fun u => \sum_(i | z i == u) F (z i))); last first.
  move=> u _; rewrite (eq_bigr (fun=> F u)) => [|i /eqP-> //].
  by rewrite sumr_const.
rewrite (exchange_big_dep xpredT) //=; apply: eq_bigr => i _.
rewrite -big_filter (_ : [seq _ <- _ | _] = [:: z i]) ?big_seq1 //.
rewrite (eq_filter (a2 := pred1 (z i))) => [|u]; last by rewrite /= eq_sym.
rewrite filter_pred1_uniq ?undup_uniq // mem_undup.
by apply: map_f; rewrite mem_enum.
Qed.

Lemma mse_floor_distinct f :
  mse f = floor + N%:R^-1 *
    \sum_(u <- undup (map z (enum 'I_N))) (nu u)%:R * normsq (gres f u).
Proof.
rewrite mse_floor; congr (_ + _ * _).
rewrite (sum_distinct (fun u => normsq (gres f u))).
by apply: eq_bigr => u _; rewrite mulr_natl.
Qed.

Section Loss.

Variable n : nat.
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Definition loss theta := mse (eval theta).

Definition minimiser theta := forall theta', loss theta <= loss theta'.

End Loss.

Definition P1 n := forall theta : net R d m n,
  exists n' (theta' : net R d m n'), (n < n')%N /\ loss theta' < loss theta.

End Targets.

Section Circuits.

Variables (m n : nat).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Definition idle_at theta J v := forall i, circuit_out theta J (z i) = v.

Definition train_idle theta J := exists v, idle_at theta J v.

Definition fires theta J x :=
  exists2 v, idle_at theta J v & circuit_out theta J x != v.

End Circuits.

End Data.
