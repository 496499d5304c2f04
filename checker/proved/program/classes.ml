(* Facts about nets that are best in a class which a norm makes small. *)

open Absence_checkers
open Facts

(* The steepest slope at an input is computed as the checker does, and checked to be that. *)
let path_norm_minimum fact =
  known [ "kind"; "net"; "data"; "most" ] fact;
  let net = net (get "net" fact) and inputs, targets = data fact in
  shallow [ net ];
  if List.compare_lengths inputs targets <> 0 then malformed "inputs and targets differ in number";
  let residuals = errors net.units net.shift (List.combine inputs targets) in
  let slope z sign = Q.abs (Signs.rational (lslope inputs residuals sign (qhead z))) in
  let steeper k z = Q.max k (Q.max (slope z true) (slope z false)) in
  check_path net.n (size inputs) net.units net.shift inputs targets (number (get "most" fact))
    (Signs.back (List.fold_left steeper Q.zero inputs))

let kinds = [ "path-norm-minimum", path_norm_minimum ]
