(* Covered points of the claims, with fractions as the numbers of check_integers.v. What is here reads, and chooses
   scales: it decides nothing. *)

module I = Z

open Absence_checkers
open Facts

let fraction q = { mantissa = q.qnum; exponent = I.zero; divisor = q.qden }

(* A multiple of all divisors, and the scale of fractions over one. *)
let multiple numbers = List.fold_left (fun found n -> I.lcm found n.divisor) I.one numbers
let below divisor = { power = I.zero; under = divisor }

let fractions value = List.map fraction (vector value)

(* The layers of a net: hidden ones, and the output. *)
let stack value =
  let layer entry = List.map (fun (w, b) -> (List.map fraction w, fraction b)) (affine entry) in
  match List.rev_map layer (list value) with
  | out :: hidden -> (List.rev hidden, out)
  | [] -> malformed "no layer"

let weights_of layer = List.concat_map fst layer
let biases layer = List.map snd layer

(* The rows of an average by number, and their weights. *)
let average_of number value =
  let pairs = List.map (fun entry -> match list entry with
      | [ row; weight ] -> (whole row, number weight)
      | _ -> malformed "no row and weight") (list value) in
  let rows = List.map fst pairs in
  if not (no_twice rows) then malformed "an input has two weights";
  (List.map I.of_int rows, List.map snd pairs)

let covered fact =
  known [ "kind"; "left"; "right"; "inputs"; "points" ] fact;
  let left = stack (get "left" fact) and right = stack (get "right" fact) in
  let table = Array.of_list (List.map (List.map fraction) (rows (get "inputs" fact))) in
  let points = list (get "points" fact) in
  if points = [] then malformed "no point at all";
  let at = List.map (fun place -> fractions (get "point" place)) points in
  let layers (hidden, out) = hidden @ [ out ] in
  let both = layers left @ layers right in
  let s = below (multiple (List.concat (Array.to_list table @ at @ List.map biases both))) in
  let own net = List.map (fun layer -> multiple (weights_of layer)) (layers net) in
  let product = List.fold_left I.mul I.one in
  (* The outputs of both nets over one scale. *)
  let scales net other = match List.rev (own net) with
    | last :: more -> List.map below (List.rev (I.mul last (product (own other)) :: more))
    | [] -> [] in
  let es = scales left right and es' = scales right left in
  let d = size (match at with point :: _ -> point | [] -> []) and m = size (snd left) in
  let find i = table.(I.to_int i) and count = nat (Array.length table) in
  let whole_hidden (hidden, _) es =
    match over_layers s (prefix (List.length hidden) es) hidden with
    | Some found -> found
    | None -> malformed "no scale" in
  let zs = whole_hidden left es and zs' = whole_hidden right es' in
  List.for_all2 (fun place x ->
      let chosen, ws = average_of (fun w -> fraction (number w)) (get "combination" place) in
      let within zs = check_covered d s zs count find (multiple ws) chosen ws x in
      within zs && within zs'
      && check_difference d m s es es' (fst left) (snd left) (fst right) (snd right) x
        (fractions (get "difference" place))) points at

let kinds = [ "covered", covered ]
