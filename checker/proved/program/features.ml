(* Facts about the features of a hidden layer, and about output layers that are best for their features. *)

open Absence_checkers
open Facts

(* The units of a hidden layer, which send nothing here, and what enters them. *)
let hidden fact =
  let net = net (get "net" fact) and layer = whole (get "layer" fact) in
  let layers = net.below @ [ List.map fst net.units ] in
  if layer < 1 || layer > List.length layers then malformed "no such hidden layer";
  let below = List.filteri (fun i _ -> i < layer - 1) layers in
  let units = List.map (fun unit -> (unit, [])) (List.nth layers (layer - 1)) in
  let inputs = rows (get "inputs" fact) in
  if not (check_features net.first (size inputs) below inputs) then malformed "the layers or inputs do not fit";
  (units, lwidth net.first below, List.map (lforward qops below) inputs)

let largest_prime = 1 lsl 32
let prime p =
  let rec none k = k * k > p || (p mod k <> 0 && none (k + 1)) in
  2 <= p && p < largest_prime && none 2

(* Of as many rows as there are features, what brings them to the unit matrix: with it the rank is checked. The rows'
   minor is not 0 modulo the prime where the prime is in no denominator, here or there. *)
let full_rank fact =
  known [ "kind"; "net"; "inputs"; "layer"; "prime"; "rows" ] fact;
  let units, d, entering = hidden fact in
  let count = List.length entering and n = List.length units in
  if n > 24 then raise (Left "more than 24 units");
  let prime_ = whole (get "prime" fact) in
  if not (prime prime_) then malformed "the modulus is not a prime";
  let chosen = List.map whole (list (get "rows" fact)) in
  if List.length chosen <> n + 1 || List.exists (fun i -> i < 0 || i >= count) chosen then malformed "other rows";
  let features = List.map (fun i -> Array.of_list (List.map Signs.rational (lfeat units (List.nth entering i)))) chosen in
  let unit k = Array.init (n + 1) (fun i -> if i = k then Q.one else Q.zero) in
  match Signs.solve_all features (List.init (n + 1) unit) with
  | None -> false
  | Some weights ->
    let whole_there q = Big_int_Z.(sign_big_int (mod_big_int (Q.den q) (big_int_of_int prime_))) <> 0 in
    let spread row =
      let given = List.combine chosen (List.map Signs.back row) in
      List.init count (fun i -> try List.assoc i given with Not_found -> q0) in
    List.for_all (Array.for_all whole_there) features && List.for_all (List.for_all whole_there) weights
    && check_full_rank d O (nat n) (size entering) units [] entering (List.map spread weights)

let dependency fact =
  known [ "kind"; "net"; "inputs"; "layer"; "coefficients" ] fact;
  let units, d, entering = hidden fact in
  check_dependency d O (size units) (size entering) units [] entering (vector (get "coefficients" fact))

let free_readout fact =
  known [ "kind"; "net"; "inputs"; "at"; "direction" ] fact;
  let net = net (get "net" fact) and inputs = rows (get "inputs" fact) in
  shallow [ net ];
  check_free net.d net.m net.n (size inputs) net.units net.shift inputs (vector (get "direction" fact))
    (vector (get "at" fact))

let penalty fact =
  let found = number (get "penalty" fact) in
  if Big_int_Z.sign_big_int found.qnum < 0 then malformed "the penalty is negative";
  found

let leverage fact =
  known [ "kind"; "net"; "inputs"; "penalty"; "at"; "solution"; "leverage" ] fact;
  let net = net (get "net" fact) and inputs = rows (get "inputs" fact) in
  shallow [ net ];
  check_lever net.d net.m net.n (size inputs) net.units net.shift inputs (penalty fact) (vector (get "at" fact))
    (vector (get "solution" fact)) (number (get "leverage" fact))

let truth value = match value with Json.Bool b -> b | _ -> malformed "a truth value is missing"

let readout_price fact =
  known [ "kind"; "net"; "moved"; "data"; "penalty"; "at"; "solution"; "leverage"; "square"; "bound"; "attained" ] fact;
  let net = net (get "net" fact) and moved = Facts.net (get "moved" fact) and inputs, targets = data fact in
  shallow [ net; moved ];
  let square = number (get "square" fact) and bound = number (get "bound" fact) in
  check_readout_price net.d net.m net.n (size inputs) net.units net.shift inputs targets moved.units moved.shift
    (penalty fact) (vector (get "at" fact)) (vector (get "solution" fact)) (number (get "leverage" fact)) square bound
  && truth (get "attained" fact) = check_equal [ (square, one) ] [ (bound, one) ]

(* From the multipliers of the row space, what each input adds to the weights: it is checked that it does. *)
let shares net inputs multipliers intercept =
  let features = List.map (fun z -> List.map Signs.rational (List.tl (lfeat net.units z))) inputs in
  let count = Q.of_int (List.length features) in
  let add = List.map2 Q.add in
  let mean = match features with
    | first :: more when intercept -> List.map (fun x -> Q.div x count) (List.fold_left add first more)
    | first :: _ -> List.map (fun _ -> Q.zero) first
    | [] -> malformed "no input" in
  let share phi s = List.fold_left2 (fun sum x y -> Q.add sum (Q.mul x y)) Q.zero (List.map2 Q.sub phi mean) s in
  List.map (fun phi -> List.map (fun s -> Signs.back (share phi (List.map Signs.rational s))) multipliers) features

let ridge fact =
  known [ "kind"; "net"; "data"; "penalty"; "intercept"; "row_space"; "circuit"; "weightless"; "fires" ] fact;
  let net = net (get "net" fact) and inputs, targets = data fact and penalty = penalty fact in
  shallow [ net ];
  let intercept = truth (get "intercept" fact) and count = size inputs in
  let determined = has "row_space" fact || Big_int_Z.sign_big_int penalty.qnum > 0 in
  let on check = check net.d net.m net.n count net.units net.shift inputs in
  (if has "row_space" fact then
     Big_int_Z.sign_big_int penalty.qnum = 0
     && on check_min_norm targets intercept (shares net inputs (rows (get "row_space" fact)) intercept)
   else on check_ridge targets intercept penalty)
  && (if has "circuit" fact then
        let chosen = circuit net (get "circuit" fact) and weightless = truth (get "weightless" fact) in
        (determined || not weightless)
        && (if weightless then on check_weightless chosen else on check_weighted chosen)
        && (not (has "fires" fact) || on check_wakes chosen (vector (get "fires" fact)))
      else determined)

let separating_unit fact =
  known [ "kind"; "inputs"; "residuals"; "weights"; "bias"; "inner_product" ] fact;
  let inputs = rows (get "inputs" fact) in
  check_unit (width inputs) (size inputs) inputs (vector (get "residuals" fact)) (vector (get "weights" fact))
    (number (get "bias" fact)) (number (get "inner_product" fact))

let nothing_separates fact =
  known [ "kind"; "inputs"; "residuals" ] fact;
  let inputs = rows (get "inputs" fact) in
  check_no_unit (width inputs) (size inputs) inputs (vector (get "residuals" fact))

let zero_one_loss fact =
  known [ "kind"; "net"; "inputs"; "sides"; "wrong" ] fact;
  let net = net (get "net" fact) and wrong = whole (get "wrong" fact) in
  let entering = features net (rows (get "inputs" fact)) and sides = List.map truth (list (get "sides" fact)) in
  wrong >= 0 && wrong <= List.length sides
  && check_wrong net.d (size entering) entering net.n net.units net.shift sides (nat wrong)

let kinds = [
  "full-rank", full_rank; "dependency", dependency; "free-readout", free_readout; "leverage", leverage;
  "readout-price", readout_price; "ridge", ridge; "separating-unit", separating_unit;
  "nothing-separates", nothing_separates; "zero-one-loss", zero_one_loss;
]
