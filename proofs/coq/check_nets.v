(******************************************************************************)
(* Checkers of circuits and outputs: Boolean functions on lists of rational   *)
(* numbers. What they accept holds of the net, the inputs and the circuit     *)
(* that the lists stand for, in the words of net.v, over any realFieldType.   *)
(* They run by vm_compute, and as a program that Coq extracts.                *)
(*                                                                            *)
(*  qnet R d m n us c == the net of S_n with units us and shift c             *)
(*     points R d N zs == the inputs (or targets) z_i, i < N, of a list       *)
(*         vec R k s == the row vector of length k with the entries of s      *)
(*       members n J == the circuit of the units that J, booleans, selects    *)
(*        lsame u v == the lists are equal in length and in value             *)
(*           lpos q == q > 0                                                  *)
(*   fits d m n us c == the lists are those of a net of S_n                   *)
(*      sized d N zs == the list has N entries of length d                    *)
(*  check_idle, check_fires, check_not_idle == one circuit is idle, or fires  *)
(*                    at x as well, or sends two values                       *)
(*   check_no_idle == no nonempty circuit is idle: all of them are tried      *)
(* check_same_outputs, check_other_output == two nets agree on the inputs,    *)
(*                    or differ at one                                        *)
(*       check_off == two nets have the same units off a circuit              *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition lunit0 : unit Q := ([::], Q0, [::]).

Fixpoint lsame (u v : seq Q) : bool :=
  match u, v with
  | nil, nil => true
  | a :: u', b :: v' => Qeq_bool a b && lsame u' v'
  | _, _ => false
  end.

Definition lsame_unit (u v : unit Q) : bool :=
  [&& lsame u.1.1 v.1.1, Qeq_bool u.1.2 v.1.2 & lsame u.2 v.2].

Definition lpos (q : Q) : bool := if Qnum q is Zpos _ then true else false.

Definition fits (d m n : nat) (us : seq (unit Q)) (c : seq Q) :=
  [&& size c == m, size us == n
    & all (fun un => (size un.1.1 == d) && (size un.2 == m)) us].

Definition sized (d N : nat) (zs : seq (seq Q)) :=
  (size zs == N) && all (fun z => size z == d) zs.

Fixpoint masks n : seq (seq bool) :=
  if n is n'.+1
  then [seq b :: J | b <- [:: true; false], J <- masks n'] else [:: [::]].

Local Open Scope ring_scope.

Section Values.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation toR := (map_unit ratio).
Local Arguments int_of_Z : simpl never.

Lemma ratioP a b : (ratio a == ratio b) = Qeq_bool a b.
Proof.
apply/eqP/idP => [/eqP|/Qeq_bool_iff ab]; last exact: ratio_eq.
rewrite /compute.ratio eqr_div ?den_neq0 // -!intrM eqr_int -!int_of_ZM.
by move/eqP/(can_inj int_of_ZK) => ab; apply/Qeq_bool_iff.
Qed.

Lemma ratio_gt0 q : (0 < ratio q) = lpos q.
Proof.
case: q => [[|p|p] q] /=; rewrite /compute.ratio /lpos /=.
- by rewrite mul0r ltxx.
- by rewrite divr_gt0 ?den_gt0.
rewrite -Pos2Z.opp_pos int_of_ZN rmorphN mulNr oppr_gt0 ltNge ltW //.
by rewrite divr_gt0 ?den_gt0.
Qed.

Lemma lsameP u v : (map ratio u == map ratio v) = lsame u v.
Proof.
elim: u v => [|a u IH] [|b v] //=; rewrite eqseq_cons IH; congr andb.
exact: ratioP.
Qed.

Lemma ldot_ratio u v :
  ldot (Rops R) (map ratio u) (map ratio v) = ratio (ldot Qops u v).
Proof.
exact: (@ldot_map _ _ Qops (Rops R) ratio (ratio0 R) (@ratioD R) (@ratioM R)).
Qed.

Lemma lvadd_ratio u v :
  lvadd (Rops R) (map ratio u) (map ratio v) = map ratio (lvadd Qops u v).
Proof. exact: (@lvadd_map _ _ Qops (Rops R) ratio (@ratioD R)). Qed.

Lemma nth_enum (T : Type) (t0 : T) n s : size s = n ->
  map (fun i : 'I_n => nth t0 s i) (enum 'I_n) = s.
Proof.
by move=> <-; rewrite (map_comp (nth t0 s) val) val_enum_ord; apply: mkseq_nth.
Qed.

Definition vec k (s : seq Q) : 'rV[R]_k := \row_i ratio (nth Q0 s i).

Lemma row_vec k s : size s = k -> row (vec k s) = map ratio s.
Proof.
move=> s_k; rewrite /row -[in RHS](nth_enum Q0 s_k) -map_comp.
by apply: eq_map => i; rewrite mxE.
Qed.

Lemma row_inj k : injective (@row R k).
Proof.
move=> u v /eq_in_map uv; apply/rowP=> i; apply: uv.
by rewrite mem_enum.
Qed.

Lemma vec_same k u v : lsame u v -> vec k u = vec k v.
Proof.
rewrite -lsameP => /eqP uv; apply/rowP=> i; rewrite !mxE.
have uv_size : size u = size v by rewrite -(size_map ratio u) uv size_map.
have [i_u|u_i] := ltnP i (size u).
  by rewrite -!(nth_map _ 0) // -?uv_size // uv.
by rewrite !nth_default // -uv_size.
Qed.

Definition qnet d m n us c : net R d m n :=
  Net (fun j => vec d (nth lunit0 us j).1.1)
      (fun j => ratio (nth lunit0 us j).1.2)
      (fun j => vec m (nth lunit0 us j).2) (vec m c).

Definition points d N zs (i : 'I_N) : 'rV[R]_d := vec d (nth [::] zs i).

Definition members n (J : seq bool) : {set 'I_n} :=
  [set j : 'I_n | nth false J j].

Lemma units_qnet d m n us c :
  fits d m n us c -> units (qnet d m n us c) = map toR us.
Proof.
case/and3P=> _ /eqP us_n /all_nthP ok.
rewrite /units -[in RHS](nth_enum lunit0 us_n) -map_comp.
apply: eq_map => j /=; have := ok lunit0 j; rewrite us_n => /(_ (ltn_ord j)).
by case/andP=> /eqP w_d /eqP a_m; rewrite !row_vec.
Qed.

Lemma members_mask n J :
  size J = n -> [seq j \in members n J | j <- enum 'I_n] = J.
Proof.
move=> J_n; rewrite -[RHS](nth_enum false J_n).
by apply: eq_map => j; rewrite inE.
Qed.

Lemma row_circuit d m n us c J z :
    fits d m n us c -> size J = n -> size z = d ->
  row (circuit_out (qnet d m n us c) (members n J) (vec d z))
  = map ratio (lcircuit Qops m us J z).
Proof.
move=> ok J_n z_d; rewrite -lcircuit_correct units_qnet // members_mask //.
by rewrite row_vec // lcircuit_ratio.
Qed.

Lemma row_eval d m n us c z : fits d m n us c -> size z = d ->
  row (eval (qnet d m n us c) (vec d z)) = map ratio (leval Qops us c z).
Proof.
move=> ok z_d; rewrite -leval_correct units_qnet // row_vec //=.
by have /and3P[/eqP c_m _ _] := ok; rewrite row_vec // leval_ratio.
Qed.

Lemma sized_nth d N zs :
  sized d N zs -> forall i : 'I_N, size (nth [::] zs i) = d.
Proof.
by case/andP=> /eqP zs_N /all_nthP ok i; apply/eqP/ok; rewrite zs_N.
Qed.

End Values.

Arguments points R d N zs i : clear implicits.

Section Circuits.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs : seq (seq Q)).

Definition check_sends J v z := lsame (lcircuit Qops m us J z) v.

Definition check_circuit (J : seq bool) :=
  [&& fits d m n us c, sized d N zs & size J == n].

Definition check_idle J v :=
  [&& check_circuit J, size v == m & all (check_sends J v) zs].

Definition check_fires J v x :=
  [&& check_idle J v, size x == d & ~~ check_sends J v x].

Definition differs J :=
  if zs is z :: zs' then
    has (fun x => ~~ check_sends J (lcircuit Qops m us J z) x) zs' else false.

Definition check_not_idle J := check_circuit J && differs J.

Definition check_no_idle :=
  [&& fits d m n us c, sized d N zs
    & all (fun J => ~~ has id J || differs J) (masks n)].

Variable R : realFieldType.
Let theta := qnet R d m n us c.
Let z := points R d N zs.

Lemma sendsP J v x : fits d m n us c -> size J = n -> size x = d ->
  check_sends J v x
  = (row (circuit_out theta (members n J) (vec R d x)) == map (ratio R) v).
Proof. by move=> ok J_n x_d; rewrite row_circuit // lsameP. Qed.

Theorem C2_check_idle J v :
  check_idle J v -> idle_at z theta (members n J) (vec R m v).
Proof.
case/and3P=> /and3P[ok zs_d /eqP J_n] /eqP v_m /all_nthP same i.
apply: row_inj; rewrite (row_vec _ v_m); apply/eqP.
rewrite -sendsP ?(sized_nth zs_d) ?same //.
by case/andP: zs_d => /eqP->.
Qed.

Theorem C2_check_fires J v x :
  check_fires J v x -> fires z theta (members n J) (vec R d x).
Proof.
case/and3P=> idle /eqP x_d off; exists (vec R m v); first exact: C2_check_idle.
case/and3P: idle => /and3P[ok zs_d /eqP J_n] /eqP v_m _.
apply: contra off => /eqP at_x; rewrite sendsP //.
by rewrite at_x (row_vec _ v_m).
Qed.

Lemma differsP J :
  check_circuit J -> differs J -> ~ train_idle z theta (members n J).
Proof.
case/and3P=> ok zs_d /eqP J_n; have sizes := sized_nth zs_d.
have /andP[/eqP zs_N _] := zs_d; rewrite /differs; move: zs_N sizes.
rewrite /z; case: (zs) => [//|x xs] xs_N sizes.
move=> /(has_nthP [::])[k k_lt other] [v idle].
have lt0 : (0 < N)%N by rewrite -xs_N.
have lt : (k.+1 < N)%N by rewrite -xs_N.
case/negP: other; rewrite sendsP ?(sizes (Ordinal lt)) //.
rewrite -(row_circuit R ok J_n (sizes (Ordinal lt0))).
have := idle (Ordinal lt); have := idle (Ordinal lt0).
by rewrite /points /= => -> ->.
Qed.

Theorem C2_check_not_idle J :
  check_not_idle J -> ~ train_idle z theta (members n J).
Proof. by case/andP; apply: differsP. Qed.

Lemma in_masks k (J : seq bool) : size J = k -> J \in masks k.
Proof.
elim: k J => [|k IH] [|b J] //= [J_k]; rewrite cats0 mem_cat.
by case: b; rewrite map_f ?IH ?orbT.
Qed.

Theorem C2_check_no_idle : check_no_idle ->
  forall J : {set 'I_n}, J != set0 -> ~ train_idle z theta J.
Proof.
case/and3P=> ok zs_d /allP all_J J J_n0.
pose Jb := [seq j \in J | j <- enum 'I_n].
have Jb_n : size Jb = n by rewrite size_map size_enum_ord.
have JE : J = members n Jb.
  apply/setP=> j; rewrite inE (nth_map j) ?size_enum_ord //.
  by rewrite nth_ord_enum.
have := all_J Jb (in_masks Jb_n).
have -> /= : has id Jb.
  have [j jJ] := set0Pn _ J_n0; apply/hasP; exists true => //.
  by apply/mapP; exists j; rewrite ?mem_enum ?jJ.
by rewrite JE; apply: differsP; rewrite /check_circuit ok zs_d Jb_n eqxx.
Qed.

End Circuits.

Section Outputs.

Variables (d d' m n n' N : nat) (us us' : seq (unit Q)) (c c' : seq Q).

Definition same_at z z' := lsame (leval Qops us c z) (leval Qops us' c' z').

(* Each net has inputs of its own: those of a deep net are what enters its    *)
(* last hidden layer.                                                         *)
Definition check_same_outputs zs zs' :=
  [&& fits d m n us c, fits d' m n' us' c', sized d N zs, sized d' N zs'
    & all (fun p => same_at p.1 p.2) (zip zs zs')].

Definition check_other_output z z' :=
  [&& fits d m n us c, fits d' m n' us' c', size z == d, size z' == d'
    & ~~ same_at z z'].

Definition check_off (J : seq bool) :=
  [&& fits d m n us c, fits d m n us' c', size J == n
    & all (fun p => p.1 || lsame_unit p.2.1 p.2.2) (zip J (zip us us'))].

Variable R : realFieldType.

Theorem C2_check_same_outputs zs zs' : check_same_outputs zs zs' ->
  forall i, eval (qnet R d m n us c) (points R d N zs i)
            = eval (qnet R d' m n' us' c') (points R d' N zs' i).
Proof.
case/and5P=> ok ok' zs_d zs_d' /all_nthP same i; apply: row_inj; apply/eqP.
rewrite (row_eval R ok (sized_nth zs_d i)) (row_eval R ok' (sized_nth zs_d' i)).
have /andP[/eqP zs_N _] := zs_d; have /andP[/eqP zs_N' _] := zs_d'.
have := same ([::], [::]) i.
rewrite size_zip zs_N zs_N' minnn => /(_ (ltn_ord i)).
by rewrite nth_zip ?zs_N //= lsameP.
Qed.

Theorem C2_check_other_output z z' : check_other_output z z' ->
  eval (qnet R d m n us c) (vec R d z)
  <> eval (qnet R d' m n' us' c') (vec R d' z').
Proof.
case/and5P=> ok ok' /eqP z_d /eqP z_d' /negP other same; case: other.
rewrite /same_at -(lsameP R) -(row_eval R ok z_d).
by rewrite -(row_eval R ok' z_d') same.
Qed.

Theorem C2_check_off J : check_off J ->
  off (members n J) (qnet R d m n us c) (qnet R d m n us' c').
Proof.
case/and4P=> /and3P[_ /eqP us_n _] /and3P[_ /eqP us_n' _] /eqP J_n.
move=> /(all_nthP (false, (lunit0, lunit0))) same j; rewrite inE => jJ.
have sizes : size (zip us us') = n by rewrite size_zip us_n us_n' minnn.
have := same j; rewrite size_zip sizes J_n minnn => /(_ (ltn_ord j)).
rewrite nth_zip ?J_n ?sizes //= nth_zip ?us_n ?us_n' //= (negbTE jJ) /=.
case/and3P=> w_same b_same a_same; split; try exact/esym/vec_same.
by apply/esym/ratio_eq/Qeq_bool_iff.
Qed.

End Outputs.
