(* Hints for check_packed.v: how many digits short numbers keep, and which units they may show to be off. What is here
   decides nothing: the checker looks whether its numbers fit, and what they do not show is computed from all digits. *)

module I = Z

open Absence_checkers

(* Leading digits of what enters a layer, and of its weights. *)
let of_values = 13
let of_weights = 16

(* A larger integer is not made in OCaml's minor heap, which takes several times as long. *)
let words = 250

let ones n = I.pred (I.shift_left I.one n)
let longest = List.fold_left (fun most x -> max most (I.numbits x)) 0
let greatest = List.fold_left I.max I.zero

(* Groups of equal size whose sums are no longer than that, and the steps that take them apart. *)
let parts slot count =
  let size = max 1 (min count (words * 64 / slot)) in
  let rec depth k = if 1 lsl k >= size then k else depth (k + 1) in
  (List.init ((count + size - 1) / size) (fun _ -> Facts.nat size), Facts.nat (depth 0))

(* The layers up to the last one that has units to ask for; rows are what enters a layer at some rows, in all digits. *)
let rec layers c e bound rows ints dead = match ints, dead with
  | l :: above, asked :: later when List.exists (List.mem true) dead ->
    let last = not (List.exists (List.mem true) later) in
    let cut = I.of_int (max 0 (longest (List.concat_map fst l) - of_weights)) in
    let far u = off_by c e bound cut u in
    let doubtful ((w, b) as u) =
      List.exists (fun x -> I.sign (I.add (zdot b w x) (I.shift_left (far u) 1)) > 0) rows in
    let asked = List.map2 (fun j u -> j && not (doubtful u)) asked l in
    let units = if last then List.concat (List.map2 (fun j u -> if j then [ u ] else []) asked l) else l in
    let most ((_, _) as u) =
      let w, b = short c cut u in
      I.add (I.add (I.mul bound (zsizes w)) (I.abs b)) (slack c e bound cut u) in
    let slot = I.numbits (greatest (List.map most units)) + 2 in
    let after = List.map (fun x -> List.map zrelu (zaffine l x)) rows in
    let c' = I.add c cut and size = List.fold_left max 0 (List.map longest after) in
    let kept = size - I.to_int c' in
    let lost = max 0 (kept - of_values) in
    let sizes, depth = parts slot (List.length units) in
    let e' = I.add (greatest (List.map far l)) (I.shift_left (ones lost) (I.to_int c')) in
    let bound' = I.shift_left I.one (max 0 (kept - lost) + 2) in
    let hints, masks = layers (I.add c' (I.of_int lost)) e' bound' after above later in
    ({ bound; cut; lost = I.of_int lost; slot = I.of_int slot; sizes; depth } :: hints, asked :: masks)
  | _ -> ([], [])

(* For a net in integers, inputs of so many digits, some of them, and for each layer the units that are said to be dead. *)
let quick ints bits rows dead =
  let c = max 0 (bits - of_values) in
  let hints, must_be_off = layers (I.of_int c) (ones c) (I.shift_left I.one (bits - c)) rows ints dead in
  { left_out = I.of_int c; hints; must_be_off }
