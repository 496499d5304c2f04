(******************************************************************************)
(* C14 for circuits: in a finite class of nets of S_n the nets with a         *)
(* train-idle circuit have a gap to the best, if some net of the class is     *)
(* better than every narrower net. C12 says how much better a net of S_n is.  *)
(*                                                                            *)
(*     idle_ge == a net with a train-idle circuit loses no less than l, if no *)
(*                    narrower net does                                       *)
(*    C14_idle == then such nets have mass at most                            *)
(*                    (|D| / |A|) g(l) / g(l - tau), A the models of loss at  *)
(*                    most l - tau                                            *)
(*    C14_idle_exponential == (|D| / |A|) e^(- beta tau) for weights e^(-beta)*)
(*   C14_reach == some net of S_(n+1) has loss at most l - tau, for every     *)
(*                    tau < c(X) (l - E), l the infimum on S_n                *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c11_price c12_uniform_gap c14_posterior.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Nets.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).

Definition has_idle (theta : net R d m n) :=
  exists2 J : {set 'I_n}, J != set0 & train_idle z theta J.

Definition no_narrower (l : R) :=
  forall p (theta : net R d m p), (p < n)%N -> l <= loss z y theta.

Lemma idle_ge (theta : net R d m n) l :
  no_narrower l -> has_idle theta -> l <= loss z y theta.
Proof.
move=> narrow [J J_neq0] /(C11_smaller y)[theta' <-]; apply: narrow.
rewrite -subn_gt0 subKn ?card_gt0 //.
by rewrite -[X in (_ <= X)%N]card_ord max_card.
Qed.

Variables (T : finType) (net_of : T -> net R d m n) (A D : {set T}) (l tau : R).
Let L t := loss z y (net_of t).
Hypothesis narrow : no_narrower l.
Hypothesis A_neq0 : A != set0.
Hypothesis A_low : forall t, t \in A -> L t <= l - tau.
Hypothesis D_idle : forall t, t \in D -> has_idle (net_of t).

Let D_high t : t \in D -> l - tau + tau <= L t.
Proof. by rewrite subrK => /D_idle/(idle_ge narrow). Qed.

Theorem C14_idle (g : R -> R) :
  (forall t, 0 < g t) -> (forall s t, s <= t -> g t <= g s) ->
  posterior L g D <= (#|D|%:R / #|A|%:R) * (g l / g (l - tau)).
Proof.
move=> g_gt0 g_decr; have := posterior_near g_gt0 g_decr A_neq0 A_low D_high.
by rewrite subrK.
Qed.

Theorem C14_idle_exponential (e : R -> R) (beta : R) :
  (forall x y, e (x + y) = e x * e y) -> (forall x, 1 + x <= e x) ->
  0 <= beta ->
  posterior L (boltzmann e beta) D <= (#|D|%:R / #|A|%:R) * (e (beta * tau))^-1.
Proof. by move=> eD e_ge beta_ge0; apply: near_exponential A_neq0 A_low D_high. Qed.

End Nets.

Theorem C14_reach (R : realFieldType) (d m n N : nat) (z : 'I_N -> 'rV[R]_d)
    (y : 'I_N -> 'rV[R]_m) (w : 'rV[R]_d) (h D l tau : R) :
  gauge z w h D ->
  (forall t, l < t -> exists theta : net R d m n, loss z y theta < t) ->
  tau < gap N h D * (l - floor z y) ->
  exists theta : net R d m n.+1, loss z y theta <= l - tau.
Proof.
move=> gauge_w near tau_lt; pose c := gap N h D.
have c_lt1 : c < 1 := gap_lt1 gauge_w.
pose eps := c * (l - floor z y) - tau.
have eps_gt0 : 0 < eps by rewrite subr_gt0.
have [|theta lt_theta] := @C12_uniform_gap _ _ _ z w h D gauge_w m y n (l + eps).
  by apply: near; rewrite ltrDl.
exists theta; apply: le_trans (ltW lt_theta) _; rewrite -/c -subr_ge0.
have -> : l - tau - (l + eps - c * (l + eps - floor z y)) = c * eps.
  by rewrite /eps; ring.
by rewrite mulr_ge0 ?(ltW eps_gt0) ?gap_ge0.
Qed.
