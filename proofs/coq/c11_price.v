(******************************************************************************)
(* C11, the price of deception: the infimum of L over the nets of S_n with a  *)
(* k-unit train-idle circuit is L*(n - k). Infima need not be attained, so    *)
(* the claim is stated for every bound t: a net of the one kind has loss      *)
(* below t iff a net of the other kind has.                                   *)
(*                                                                            *)
(*   join theta v psi == theta with the units of psi added, shift c - v       *)
(*      detector z k x == some k units are idle in training and fire at x     *)
(*          C11_price == the claim                                            *)
(* C11_price_detector == the same for the circuits that fire at x, if there   *)
(*                    is a k-unit detector of x at all                        *)
(*   C11_detector_size == a circuit of k units that fires at x is a detector  *)
(*    C11_price_outside == x outside the hull: any k >= 1 units               *)
(*   C11_price_not_train == x no training input: any k >= 3 units             *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance c3_freed_capacity.
From absence Require Import c10_detector_size.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Join.

Variables (R : realFieldType) (d m p k : nat).
Variables (theta : net R d m p) (v : 'rV[R]_m) (psi : net R d m k).

Definition pick (T : Type) (f : 'I_p -> T) (g : 'I_k -> T) (j : 'I_(p + k)) :=
  match split j with inl i => f i | inr i => g i end.

Lemma pickl T (f : 'I_p -> T) (g : 'I_k -> T) i : pick f g (lshift k i) = f i.
Proof. by rewrite /pick (unsplitK (inl _ i)). Qed.

Lemma pickr T (f : 'I_p -> T) (g : 'I_k -> T) i : pick f g (rshift p i) = g i.
Proof. by rewrite /pick (unsplitK (inr _ i)). Qed.

Definition join : net R d m (p + k) :=
  Net (pick (inw theta) (inw psi)) (pick (bias theta) (bias psi))
      (pick (outw theta) (outw psi)) (shift theta - v).

Definition added : {set 'I_(p + k)} := [set rshift p i | i in [set: 'I_k]].

Lemma card_added : #|added| = k.
Proof.
by rewrite card_imset ?cardsT ?card_ord //; apply: rshift_inj.
Qed.

Lemma circuit_out_join x : circuit_out join added x = circuit_out psi setT x.
Proof.
rewrite /circuit_out big_imset => [|i j _ _]; last exact: rshift_inj.
by apply: eq_bigr => i _; rewrite /act /= !pickr.
Qed.

Lemma eval_join x :
  eval join x = eval theta x + (circuit_out psi setT x - v).
Proof.
rewrite /eval big_split_ord /= /circuit_out.
rewrite (eq_bigr (fun i => act theta i x *: outw theta i)); last first.
  by move=> i _; rewrite /act /= !pickl.
rewrite [X in _ + (_ + X)](eq_bigr (fun i => act psi i x *: outw psi i)).
  rewrite -!addrA; congr (_ + _); rewrite addrCA; congr (_ + _).
  by rewrite addrC; congr (_ - _); apply: eq_bigl => i; rewrite inE.
by move=> i _; rewrite /act /= !pickr.
Qed.

End Join.

Section Price.

Variables (R : realFieldType) (d m N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).

Definition detector k x := exists psi : net R d m k, fires z psi setT x.

Lemma loss_join p k (theta : net R d m p) v (psi : net R d m k) :
  idle_at z psi setT v -> loss z y (join theta v psi) = loss z y theta.
Proof.
move=> idle; congr (_ * _); apply: eq_bigr => i _.
by rewrite eval_join idle subrr addr0.
Qed.

Definition zero_net k : net R d m k := Net (fun=> 0) (fun=> 0) (fun=> 0) 0.

Lemma zero_net_out k (J : {set 'I_k}) x : circuit_out (zero_net k) J x = 0.
Proof. by apply: big1 => j _; rewrite scaler0. Qed.

Lemma C11_smaller n (theta : net R d m n) J : train_idle z theta J ->
  exists theta' : net R d m (n - #|J|), loss z y theta' = loss z y theta.
Proof.
move=> [v idleJ]; have [theta' same] := C3_smaller theta J v; exists theta'.
rewrite -(C2_same_mse idleJ y); congr (_ * _).
by apply: eq_bigr => i _; rewrite same.
Qed.

Theorem C11_price n k (t : R) : (k <= n)%N ->
  (exists (theta : net R d m n) (J : {set 'I_n}),
     [/\ #|J| = k, train_idle z theta J & loss z y theta < t])
  <-> (exists theta' : net R d m (n - k), loss z y theta' < t).
Proof.
move=> le_kn; split=> [[theta [J [<- idleJ lt_t]]]|].
  by have [theta' eq_loss] := C11_smaller idleJ; exists theta'; rewrite eq_loss.
move: (n - k)%N (subnK le_kn) => {le_kn} p; case: n / => [[theta lt_t]].
exists (join theta 0 (zero_net k)), (added p k); split.
- exact: card_added.
- by exists 0 => i; rewrite circuit_out_join zero_net_out.
- by rewrite loss_join // => i; rewrite zero_net_out.
Qed.

Theorem C11_price_detector n k (t : R) x : (k <= n)%N -> detector k x ->
  (exists (theta : net R d m n) (J : {set 'I_n}),
     [/\ #|J| = k, fires z theta J x & loss z y theta < t])
  <-> (exists theta' : net R d m (n - k), loss z y theta' < t).
Proof.
move=> le_kn [psi [v idle fires_x]].
split=> [[theta [J [<- [v' idleJ _] lt_t]]]|].
  have [|theta' eq_loss] := @C11_smaller _ theta J; first by exists v'.
  by exists theta'; rewrite eq_loss.
move: (n - k)%N (subnK le_kn) => {le_kn} p; case: n / => [[theta lt_t]].
exists (join theta v psi), (added p k); split.
- exact: card_added.
- by exists v => [i|]; rewrite circuit_out_join.
- by rewrite loss_join.
Qed.

Theorem C11_detector_size n (theta : net R d m n) J x :
  fires z theta J x -> detector #|J| x.
Proof.
have outE u : circuit_out (keep theta J 0) setT u = circuit_out theta J u.
  have := eval_keep theta J 0 u; rewrite add0r => <-; rewrite /eval add0r.
  by apply: eq_bigl => j; rewrite inE.
move=> [v idleJ fires_x]; exists (keep theta J 0); exists v => [i|].
  by rewrite outE.
by rewrite outE.
Qed.

Lemma detector_pad k k' x : (k <= k')%N -> detector k x -> detector k' x.
Proof.
move=> /subnK <- [psi [v idle fires_x]].
have outE u : circuit_out (join (zero_net (k' - k)) 0 psi) setT u
              = circuit_out psi setT u.
  have := eval_join (zero_net (k' - k)) 0 psi u.
  rewrite {1}/eval /= subr0 add0r subr0 /eval add0r.
  rewrite [X in _ = X + _]big1 ?add0r => [<-|j _].
    by apply: eq_bigl => j; rewrite inE.
  by rewrite scaler0.
by exists (join (zero_net (k' - k)) 0 psi); exists v => [i|]; rewrite outE.
Qed.

Theorem C11_price_outside n k (t : R) x : (0 < m)%N -> (0 < k <= n)%N ->
  ~ in_hull z x ->
  (exists (theta : net R d m n) (J : {set 'I_n}),
     [/\ #|J| = k, fires z theta J x & loss z y theta < t])
  <-> (exists theta' : net R d m (n - k), loss z y theta' < t).
Proof.
move=> m_gt0 /andP[k_gt0 le_kn] out_x; apply: C11_price_detector le_kn _.
exact/(detector_pad k_gt0)/C10_one_unit.
Qed.

Theorem C11_price_not_train n k (t : R) x : (0 < m)%N -> (3 <= k <= n)%N ->
  (forall i, z i != x) ->
  (exists (theta : net R d m n) (J : {set 'I_n}),
     [/\ #|J| = k, fires z theta J x & loss z y theta < t])
  <-> (exists theta' : net R d m (n - k), loss z y theta' < t).
Proof.
move=> m_gt0 /andP[k_ge3 le_kn] z_neq; apply: C11_price_detector le_kn _.
exact/(detector_pad k_ge3)/C10_bump.
Qed.

End Price.
