(******************************************************************************)
(* A net and the one that hardening made of it, on the rows of an audit.      *)
(*                                                                            *)
(* cut_layers Js ls ls' == the layers ls' are ls with the weights 0 that read *)
(*             the units of Js, a list for the inputs and for each hidden     *)
(*             layer; biases may be others only above such units              *)
(* near most r k k' v v' == outputs in the scales r / 2^k and r / 2^k' differ *)
(*             by no more than most                                           *)
(* check_hardened == both, of two nets, at all rows                           *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_rough check_audits check_audit_losses.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Definition same_number (x y : number) : bool :=
  [&& Z.eqb (mantissa x) (mantissa y), Z.eqb (exponent x) (exponent y)
    & Z.eqb (divisor x) (divisor y)].

Fixpoint cut_row (J : seq bool) (w w' : seq number) : bool :=
  match w, w' with
  | a :: v, b :: v' =>
    if (if head false J then Z.eqb (mantissa b) Z0 else same_number a b)
    then cut_row (behead J) v v' else false
  | [::], [::] => true
  | _, _ => false
  end.

Fixpoint cut_layer (J : seq bool) (l l' : llayer number) : bool :=
  match l, l' with
  | wb :: u, wb' :: u' =>
    if cut_row J wb.1 wb'.1 && (has id J || same_number wb.2 wb'.2)
    then cut_layer J u u' else false
  | [::], [::] => true
  | _, _ => false
  end.

Fixpoint cut_layers (Js : seq (seq bool)) (ls ls' : seq (llayer number)) : bool :=
  match ls, ls' with
  | l :: us, l' :: us' =>
    if cut_layer (head [::] Js) l l' then cut_layers (behead Js) us us' else false
  | [::], [::] => true
  | _, _ => false
  end.

Fixpoint near (most : number) (r : scale) (k k' : Z) (v v' : seq Z) : bool :=
  match v, v' with
  | a :: u, b :: u' =>
    let far := Z.abs (Z.sub (Z.shiftl a k) (Z.shiftl b k')) in
    if at_most (Number far (power r) (under r)) most then near most r k k' u u' else false
  | [::], [::] => true
  | _, _ => false
  end.

Definition near_at d s s' most r k k' zs zs' (get : Z -> seq number) (i : Z) : bool :=
  match overs s (get i), overs s' (get i) with
  | Some x, Some x' => (size x == d) && near most r k k' (zoutput zs x) (zoutput zs' x')
  | _, _ => false
  end.

Definition check_hardened s es k s' es' k' (d m : nat) (Js : seq (seq bool))
    (ls : seq (llayer number)) (out : llayer number) (ls' : seq (llayer number)) (out' : llayer number) N
    (get : Z -> seq number) (most : number) : bool :=
  let r := finer s es k in
  let r' := finer s' es' k' in
  if [&& proper s, proper s', linked d ls out, linked d ls' out', size out == m, size out' == m,
         Z.leb Z0 k, Z.leb Z0 k', Z.eqb (power r) (power r'), Z.eqb (under r) (under r'),
         size ls == size ls' & cut_layers ([::] :: Js) (rcons ls out) (rcons ls' out')] then
    match over_layers s es (rcons ls out), over_layers s' es' (rcons ls' out') with
    | Some zs, Some zs' => every (near_at d s s' most r k k' zs zs' get) Z0 N
    | _, _ => false
    end
  else false.

Local Open Scope ring_scope.

Section Hardened.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).

Lemma value_nought x : Z.eqb (mantissa x) Z0 -> value x = 0.
Proof. by move=> /Z.eqb_spec x0; rewrite /check_integers.value x0 zr0 !mul0r. Qed.

Lemma same_numberP x y : same_number x y -> value y = value x.
Proof.
by case/and3P=> /Z.eqb_spec m /Z.eqb_spec e /Z.eqb_spec q; rewrite /check_integers.value m e q.
Qed.

Lemma cut_rowP J w w' : cut_row J w w' -> size w' = size w /\
  forall j, value (nth nought w' j) = if nth false J j then 0 else value (nth nought w j).
Proof.
elim: w w' J => [|a w IH] [|b w'] J //=.
  by move=> _; split=> // j; rewrite nth_nil value_nought ?if_same.
case: ifP => // first /IH[-> rest]; split=> // -[|j] /=; last first.
  by rewrite rest; case: (J) => //=; rewrite nth_nil.
case: J first {rest} => [|[] J] /= first.
- exact: same_numberP.
- exact: value_nought.
- exact: same_numberP.
Qed.

Let none : seq number * number := ([::], nought).

Lemma cut_layerP J l l' : cut_layer J l l' -> size l' = size l /\
  forall i, let wb := nth none l i in let wb' := nth none l' i in
    (forall j, value (nth nought wb'.1 j) = if nth false J j then 0 else value (nth nought wb.1 j))
    /\ (~~ has id J -> value wb'.2 = value wb.2).
Proof.
elim: l l' => [|wb l IH] [|wb' l'] //=.
  move=> _; split=> // i; rewrite nth_nil /=; split=> // j.
  by rewrite nth_nil value_nought ?if_same.
case: ifP => // /andP[/cut_rowP[_ row] bias] /IH[-> rest]; split=> // -[|i] //=.
by split=> // J0; move: bias; rewrite (negbTE J0); apply: same_numberP.
Qed.

Lemma cut_layersP Js us us' k : cut_layers Js us us' ->
  size (nth [::] us' k) = size (nth [::] us k) /\
  forall i, let wb := nth none (nth [::] us k) i in let wb' := nth none (nth [::] us' k) i in
    (forall j, value (nth nought wb'.1 j)
             = if nth false (nth [::] Js k) j then 0 else value (nth nought wb.1 j))
    /\ (~~ has id (nth [::] Js k) -> value wb'.2 = value wb.2).
Proof.
elim: us us' Js k => [|l us IH] [|l' us'] Js k //=.
  move=> _; rewrite nth_nil; split=> // i; rewrite nth_nil /=; split=> // j.
  by rewrite nth_nil value_nought ?if_same.
case: ifP => // first rest; case: k => [|k] /=; first by rewrite nth0; apply: cut_layerP.
by have := IH us' (behead Js) k rest; rewrite nth_behead.
Qed.

Lemma nearP most r k k' v v' : proper r -> near most r k k' v v' ->
  size v' = size v /\ forall i, `|size_of R r * (zr R (Z.shiftl (nth Z0 v i) k)
                                     - zr R (Z.shiftl (nth Z0 v' i) k'))| <= value most
                       \/ (size v <= i)%N.
Proof.
move=> r_gt0; elim: v v' => [|a v IH] [|b v'] //=; first by split=> // i; right.
case: ifP => // /(at_mostP R) first /IH[-> rest]; split=> // -[|i] /=; last exact: rest.
left; apply: le_trans first; rewrite normrM gtr0_norm ?size_gt0 //.
rewrite /size_of /check_integers.value /=.
have -> : zr R (Z.abs (Z.sub (Z.shiftl a k) (Z.shiftl b k')))
        = `|zr R (Z.shiftl a k) - zr R (Z.shiftl b k')|.
  rewrite -zrN -zrD -[Z.add _ (Z.opp _)]/(Z.sub _ _).
  case: (Z.abs_spec (Z.sub (Z.shiftl a k) (Z.shiftl b k'))) => -[sign ->].
    by rewrite ger0_norm // -(zr0 R) zr_le; apply/Z.leb_spec0.
  by rewrite zrN ler0_norm // -(zr0 R) zr_le; apply/Z.leb_spec0; lia.
by move: `|_| (two _ _) (zr _ _)^-1 => x p q; rewrite (_ : p * q * x = x * p * q) //; ring.
Qed.

Theorem C2_check_hardened s es k s' es' k' (d m : nat) Js ls out ls' out' N get most :
    check_hardened s es k s' es' k' d m Js ls out ls' out' N get most ->
  let before := chain m d (map vlayer ls) (vlayer out) in
  let after := chain m d (map vlayer ls') (vlayer out') in
  [/\ forall l, size (nth [::] (rcons ls' out') l) = size (nth [::] (rcons ls out) l),
      forall l i, let wb := nth none (nth [::] (rcons ls out) l) i in
        let wb' := nth none (nth [::] (rcons ls' out') l) i in
        (forall j, value (nth nought wb'.1 j)
           = if nth false (nth [::] ([::] :: Js) l) j then 0 else value (nth nought wb.1 j))
        /\ (~~ has id (nth [::] ([::] :: Js) l) -> value wb'.2 = value wb.2)
    & forall (e : 'I_N) o, let z := inputs R d get e in
      `|(c2_deep.out before z - c2_deep.out after z) 0 o| <= value most].
Proof.
rewrite /check_hardened; case: ifP => // /and5P[s_gt0 s'_gt0 fit fit' /and5P[/eqP out_m /eqP out'_m]].
move=> /Z.leb_spec0 k0 /Z.leb_spec0 k'0 /and4P[/Z.eqb_spec p_r /Z.eqb_spec u_r _ cut].
case zsE: over_layers => [zs|//]; case zsE': over_layers => [zs'|//] /everyP rows /=.
have [_ t_gt0] := output_lists R s_gt0 zsE [::].
split=> [l|l i|e o].
- by have [] := cut_layersP l cut.
- by have [_] := cut_layersP l cut; apply.
have := rows e; rewrite /near_at /inputs /zrow.
case xE: overs => [x|//]; case xE': overs => [x'|//] /andP[/eqP x_d] close.
have r_gt0 : proper (finer s es k) by exact: t_gt0.
have [size_v far] := nearP r_gt0 close.
have x'_d : size x' = d.
  by rewrite -x_d -(size_map (fun a => size_of R s' * zr R a)) -(oversP R s'_gt0 xE')
     (oversP R s_gt0 xE) size_map.
rewrite {1}(oversP R s_gt0 xE) (oversP R s'_gt0 xE').
rewrite -[map _ x]/(multiple R s x) -[map _ x']/(multiple R s' x').
rewrite (outputE R s_gt0 fit out_m zsE x_d) (outputE R s'_gt0 fit' out'_m zsE' x'_d).
rewrite coordB !rvec_multiple (size_finer _ _ _ k) (size_finer _ _ _ k').
have -> : size_of R (finer s' es' k') = size_of R (finer s es k) by rewrite /size_of p_r u_r.
case: (far o) => [|]; last by rewrite (size_zoutput R s_gt0 out_m zsE) leqNgt ltn_ord.
rewrite !zr_shiftl // mulrBr; move: (size_of _ _) (zr _ _) (zr _ _) (two _ _) (two _ _) => t a b e1 e2.
by rewrite [a * e1]mulrC [b * e2]mulrC !mulrA.
Qed.

End Hardened.
