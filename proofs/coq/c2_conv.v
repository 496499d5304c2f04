(******************************************************************************)
(* C2 for readers with shared weights and for max-pooling.                    *)
(*                                                                            *)
(* C, O, K are finite sets of channels read, channels put out and offsets; P  *)
(* and Q are the positions of both. place p k == the position that is read    *)
(* from p at the offset k, or None in the zero padding: any stride, dilation, *)
(* padding and number of dimensions; groups are kernels with zeros.           *)
(*                                                                            *)
(*   conv_at w x o p == the value of channel o at p, where x c q are read     *)
(*         cut w J u == the kernel is 0 at the channels J, and u is added to  *)
(*                      the biases                                            *)
(*  inside w J v o p == what p receives from channels J that are v c at all   *)
(*                      positions                                             *)
(*      C2_conv_zero == channels that are 0 at all positions: their kernels   *)
(*                      can be 0, whatever the padding                        *)
(*      C2_conv_fold == channels that are v at all positions: if there is no  *)
(*                      padding the biases can take what they send            *)
(*       C2_conv_iff == with padding they can just if it is the same at all   *)
(*                      positions                                             *)
(*    C2_conv_border == an example where no reader that is 0 at the channel   *)
(*                      has the same values                                   *)
(*     C2_graph_conv == C2_conv_zero in a graph: no node has another value;   *)
(*                      C2_graph_conv_fold: likewise C2_conv_fold             *)
(*        deaf w c q == no value depends on that of channel c at q            *)
(*      C2_conv_deaf == if each offset reads q from some position, then the   *)
(*                      kernel is 0 at c, and deaf to c at all positions      *)
(*  C2_conv_position == so one idle position of a channel cannot be cut: an   *)
(*                      example where no reader of the class that is deaf to  *)
(*                      it has the same values                                *)
(*      C2_pool_idle == units that are all v: so is their greatest            *)
(*      C2_pool_drop == a unit that is v can be left out of a window just     *)
(*                      where some other unit is at least v                   *)
(*      C2_pool_zero == so it can at 0, if another unit is at least 0         *)
(*      C2_pool_bias == no constant added to the others does in its place     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance graph.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Record conv (R C O K : Type) := Conv { kernel : O -> C -> K -> R; biases : O -> R }.

Section Conv.

Variables (R : realFieldType) (C O K P Q : finType) (place : P -> K -> option Q).

Implicit Types (w : conv R C O K) (x : C -> Q -> R) (J : {set C}) (u : O -> R) (v : C -> R).

Definition padded x p k c := if place p k is Some q then x c q else 0.

Definition conv_at w x o p :=
  \sum_c \sum_k kernel w o c k * padded x p k c + biases w o.

Definition cut w J u :=
  Conv (fun o c k => if c \in J then 0 else kernel w o c k)
       (fun o => biases w o + u o).

Definition sent w J x o p :=
  \sum_(c in J) \sum_k kernel w o c k * padded x p k c.

Definition inside w J v o p :=
  \sum_(c in J) v c * \sum_(k | place p k) kernel w o c k.

Lemma conv_cut w J u x o p :
  conv_at (cut w J u) x o p = conv_at w x o p - sent w J x o p + u o.
Proof.
rewrite /conv_at /= [X in _ = X + _ - _ + _](bigID (mem J)) /= -/(sent w J x o p).
rewrite -[sent _ _ _ _ _ + _ + _]addrA [sent _ _ _ _ _ + _]addrC addrK -addrA.
congr (_ + _); rewrite [RHS]big_mkcond; apply: eq_bigr => c _.
by case: (c \in J) => //; apply: big1 => k _; rewrite mul0r.
Qed.

Lemma sent_inside w J v x o p :
  (forall c q, c \in J -> x c q = v c) -> sent w J x o p = inside w J v o p.
Proof.
move=> idle; apply: eq_bigr => c cJ; rewrite mulr_sumr [RHS]big_mkcond.
apply: eq_bigr => k _; rewrite /padded; case: (place p k) => [q|] /=.
  by rewrite idle // mulrC.
exact: mulr0.
Qed.

Theorem C2_conv_zero w J x : (forall c q, c \in J -> x c q = 0) ->
  forall o p, conv_at (cut w J (fun=> 0)) x o p = conv_at w x o p.
Proof.
move=> idle o p; rewrite conv_cut (@sent_inside _ _ (fun=> 0)) // addr0.
by rewrite /inside big1 ?subr0 // => c _; rewrite mul0r.
Qed.

Theorem C2_conv_iff w J v x : (forall c q, c \in J -> x c q = v c) ->
  (exists u, forall o p, conv_at (cut w J u) x o p = conv_at w x o p)
  <-> forall o p p', inside w J v o p = inside w J v o p'.
Proof.
move=> idle; split=> [[u same] o p p'|same].
  have E p1 : u o = inside w J v o p1.
    have /eqP := same o p1; rewrite conv_cut (sent_inside w o p1 idle) -addrA.
    rewrite -[X in _ == X]addr0 (inj_eq (addrI _)) addrC subr_eq0.
    by move/eqP.
  by rewrite -!E.
have [p0 _|noP] := pickP (fun p : P => true); last first.
  by exists (fun=> 0) => o p; have := noP p.
exists (fun o => inside w J v o p0) => o p.
by rewrite conv_cut (sent_inside _ _ _ idle) (same o p p0) subrK.
Qed.

Theorem C2_conv_fold w J v x : (forall p k, place p k) ->
  (forall c q, c \in J -> x c q = v c) ->
  forall o p, conv_at (cut w J (fun o => \sum_(c in J) v c * \sum_k kernel w o c k))
                x o p = conv_at w x o p.
Proof.
move=> no_padding idle o p; rewrite conv_cut (sent_inside _ _ _ idle).
suff -> : inside w J v o p = \sum_(c in J) v c * \sum_k kernel w o c k by rewrite subrK.
by apply: eq_bigr => c _; congr (_ * _); apply: eq_bigl => k; rewrite no_padding.
Qed.

(* One position of a channel                                                  *)

Definition deaf w c q := forall x x',
  (forall c' q', (c', q') != (c, q) -> x' c' q' = x c' q') ->
  forall o p, conv_at w x' o p = conv_at w x o p.

Theorem C2_conv_deaf w c q :
  (forall k, exists2 p, place p k = Some q & forall k', place p k' = Some q -> k' = k) ->
  deaf w c q -> (forall o k, kernel w o c k = 0) /\ forall q', deaf w c q'.
Proof.
move=> reached deaf_q.
have ker0 o k : kernel w o c k = 0.
  have [p pk only] := reached k.
  pose x c' q' : R := ((c', q') == (c, q))%:R.
  have elsewhere c' q' : (c', q') != (c, q) -> x c' q' = 0 by rewrite /x => /negbTE->.
  have : \sum_c' \sum_k' kernel w o c' k' * padded x p k' c' = 0.
    apply: (addIr (biases w o)); rewrite [LHS](deaf_q (fun _ _ => 0) x elsewhere).
    congr (_ + _); apply: big1 => c' _; apply: big1 => k' _.
    by rewrite /padded; case: (place p k') => [_|]; rewrite mulr0.
  rewrite (bigD1 c) //= [X in _ + X]big1 ?addr0 => [|c' ne]; last first.
    apply: big1 => k' _; rewrite /padded; case: (place p k') => [q'|]; rewrite ?mulr0 //.
    by rewrite /x xpair_eqE (negbTE ne) mulr0.
  rewrite (bigD1 k) //= [X in _ + X]big1 ?addr0 => [|k' ne]; last first.
    rewrite /padded; case pk': (place p k') => [q'|]; rewrite ?mulr0 //.
    rewrite /x xpair_eqE eqxx /=; case: eqP pk' => [-> /only k'k|]; rewrite ?mulr0 //.
    by rewrite k'k eqxx in ne.
  by rewrite /padded pk /x eqxx mulr1.
split=> // q' x x' same o p; congr (_ + _); apply: eq_bigr => c' _.
apply: eq_bigr => k _; have [->|ne] := eqVneq c' c; first by rewrite ker0 !mul0r.
by rewrite /padded; case: (place p k) => // q1; rewrite same // xpair_eqE (negbTE ne).
Qed.

End Conv.

(* The reader in a graph: src finds its channels and positions.               *)
Section Node.

Variables (R : realFieldType) (X : Type).
Variables (C O K P Q : finType) (place : P -> K -> option Q).
Variable src : seq (seq R) -> C -> Q -> R.
Implicit Types (w : conv R C O K) (p q : seq (X -> seq (seq R) -> seq R)) (x : X).

Definition conv_node w : X -> seq (seq R) -> seq R :=
  fun _ h => [seq conv_at place w (src h) op.1 op.2 | op <- enum {: O * P}].

Lemma conv_same p q w w' x :
  (forall o r, conv_at place w' (src (run p x)) o r = conv_at place w (src (run p x)) o r) ->
  run (p ++ conv_node w' :: q) x = run (p ++ conv_node w :: q) x.
Proof.
move=> same; apply: same_run => [|i _]; first by rewrite !size_cat.
rewrite !nth_cat; case: ltnP => // ge_i; case E: (i - size p)%N => [|//] /=.
have -> : i = size p by apply/eqP; rewrite eqn_leq ge_i -subn_eq0 E.
by rewrite take_size_cat //; apply: eq_map => op; apply: same.
Qed.

Theorem C2_graph_conv p q w (J : {set C}) x :
  (forall c r, c \in J -> src (run p x) c r = 0) ->
  run (p ++ conv_node (cut w J (fun=> 0)) :: q) x = run (p ++ conv_node w :: q) x.
Proof. by move=> idle; apply: conv_same; apply: C2_conv_zero. Qed.

Theorem C2_graph_conv_fold p q w (J : {set C}) v x :
  (forall r k, place r k) -> (forall c r, c \in J -> src (run p x) c r = v c) ->
  run (p ++ conv_node (cut w J (fun o => \sum_(c in J) v c * \sum_k kernel w o c k)) :: q) x
  = run (p ++ conv_node w :: q) x.
Proof. by move=> no_padding idle; apply: conv_same; apply: C2_conv_fold. Qed.

End Node.

(* Two positions, and a kernel of two offsets: the second, read from the      *)
(* second position, is in the padding.                                        *)
Section Examples.

Variable R : realFieldType.

Definition shifted (p k : bool) : option bool := if p && k then None else Some (p || k).

Theorem C2_conv_border : exists (w : conv R unit unit bool) (x : unit -> bool -> R),
  (forall c q, x c q = 1) /\
  forall w', (forall o c k, kernel w' o c k = 0) ->
    exists o p, conv_at shifted w' x o p <> conv_at shifted w x o p.
Proof.
exists (Conv (fun _ _ _ => 1) (fun=> 0)), (fun _ _ => 1); split=> // w' ker0.
have E p : conv_at shifted w' (fun _ _ => 1) tt p = biases w' tt.
  by rewrite /conv_at big1 ?add0r // => c _; apply: big1 => k _; rewrite ker0 mul0r.
have [b2|b2] := eqVneq (biases w' tt) 2; last first.
  exists tt, false; rewrite E => E'; move/eqP: b2; apply; rewrite {}E' /conv_at.
  by rewrite (big_pred1 tt) => [|[]//]; rewrite big_bool /padded /= !mulr1 addr0.
exists tt, true; rewrite E b2 /conv_at (big_pred1 tt) => [|[]//].
rewrite big_bool /padded /= mulr1 mulr0 add0r addr0 => /eqP.
by rewrite -subr_eq0 -[1]/(1%:R) -natrB // pnatr_eq0.
Qed.

(* A kernel of one offset: channel 0 is idle at the position false, and tells *)
(* two inputs apart at true.                                                  *)
Theorem C2_conv_position :
  let place (p : bool) (k : unit) := Some p in
  exists (w : conv R unit unit unit) (z : bool -> unit -> bool -> R),
  (forall i, z i tt false = 0) /\
  forall w', deaf place w' tt false ->
    exists i o p, conv_at place w' (z i) o p <> conv_at place w (z i) o p.
Proof.
move=> place.
exists (Conv (fun _ _ _ => 1) (fun=> 0)), (fun i _ q => if q && i then 1 else 0).
split=> // w' deaf_w'.
have [|ker0 _] := @C2_conv_deaf _ _ _ _ _ _ place w' tt false _ deaf_w'.
  by case; exists false => // -[].
have E i p : conv_at place w' (fun _ q => if q && i then 1 else 0) tt p = biases w' tt.
  by rewrite /conv_at big1 ?add0r // => -[] _; apply: big1 => k _; rewrite ker0 mul0r.
have V i p : conv_at place (Conv (fun _ _ _ => 1) (fun=> 0) : conv R unit unit unit)
    (fun _ q => if q && i then 1 else 0) tt p = if p && i then 1 else 0.
  by rewrite /conv_at (big_pred1 tt) => [|[]//]; rewrite (big_pred1 tt) => [|[]//];
    rewrite /= mul1r addr0.
have [b0|b0] := eqVneq (biases w' tt) 0; last first.
  by exists false, tt, true; rewrite E V /=; apply/eqP.
by exists true, tt, true; rewrite E V b0 /=; apply/eqP; rewrite eq_sym oner_eq0.
Qed.

End Examples.

Section Pool.

Variable R : realFieldType.
Implicit Types (t v : R) (ts : seq R).

Lemma greatest_le t ts s : (greatest t ts <= s) = all (fun t' => t' <= s) (t :: ts).
Proof. by elim: ts t => /= [t|t' ts IH t]; rewrite ?andbT // ge_max IH. Qed.

Lemma greatest_mem t ts : greatest t ts \in t :: ts.
Proof.
elim: ts t => /= [t|t' ts IH t]; first by rewrite inE.
have [_|_] := leP t (greatest t' ts); last by rewrite inE eqxx.
by rewrite inE IH orbT.
Qed.

Theorem C2_pool_idle v t ts : all (fun t' => t' == v) (t :: ts) -> greatest t ts = v.
Proof. by move=> /allP/(_ _ (greatest_mem t ts))/eqP. Qed.

Lemma greatest_ge t ts t' : t' \in t :: ts -> t' <= greatest t ts.
Proof. by move=> t'ts; have := lexx (greatest t ts); rewrite greatest_le => /allP; apply. Qed.

Theorem C2_pool_drop v t ts s ss : s :: ss =i v :: t :: ts ->
  greatest s ss = greatest t ts <-> has (fun t' => v <= t') (t :: ts).
Proof.
move=> window; split=> [same|/hasP[t' t'ts le_t']].
  apply/hasP; exists (greatest t ts); first exact: greatest_mem.
  by rewrite -same greatest_ge // window inE eqxx.
apply/eqP; rewrite eq_le greatest_le; apply/andP; split.
  apply/allP => s'; rewrite window inE => /predU1P[->|]; last exact: greatest_ge.
  exact: le_trans le_t' (greatest_ge t'ts).
by apply: greatest_ge; rewrite window inE greatest_mem orbT.
Qed.

Theorem C2_pool_zero t ts s ss : s :: ss =i 0 :: t :: ts -> 0 <= t ->
  greatest s ss = greatest t ts.
Proof. by move=> window t_ge0; apply/(C2_pool_drop window); rewrite /= t_ge0. Qed.

Theorem C2_pool_bias v : exists t t', forall b,
  ~ (greatest v [:: t] = t + b /\ greatest v [:: t'] = t' + b).
Proof.
exists (v + 1), (v - 1) => b /=; rewrite max_r ?lerDl ?ler01 //.
rewrite max_l ?gerDl ?oppr_le0 ?ler01 // => -[/eqP].
rewrite -{1}[v + 1]addr0 (inj_eq (addrI _)) => /eqP <-; rewrite addr0 => /eqP.
by rewrite -{1}[v]addr0 (inj_eq (addrI _)) eq_sym oppr_eq0 oner_eq0.
Qed.

End Pool.
