(* Readout prices of an audit, put to the checkers that Coq extracted. What is here reads, and chooses hints: an inverse,
   the scale of a factor and how far it is off. It decides nothing. *)

open Absence_checkers
open Facts
open Audits

(* The determinant of a symmetric matrix, and the inverse times it, without fractions. *)
let adjugate matrix =
  let n = List.length matrix in
  let table = Array.of_list (List.mapi (fun i line ->
      Array.append (Array.of_list line) (Array.init n (fun j -> if i = j then I.one else I.zero))) matrix) in
  let last = ref I.one in
  for k = 0 to n - 1 do
    let line = table.(k) in
    if I.sign line.(k) <= 0 then malformed "the features are dependent";
    Array.iteri (fun i other ->
        if i <> k then begin
          let factor = other.(k) in
          for j = 0 to (2 * n) - 1 do
            other.(j) <- I.divexact (I.sub (I.mul line.(k) other.(j)) (I.mul factor line.(j))) !last
          done
        end) table;
    last := line.(k)
  done;
  (!last, Array.to_list (Array.map (fun line -> Array.to_list (Array.sub line n n)) table))

let digits_of_factor = 80

(* The columns of the factor in integers over one power of two. *)
let columns_of (table : Arrays.array) below =
  let _, high = exponents table in
  let power = min (high - digits_of_factor) below in
  let entry i j =
    let m, e = Arrays.float_at table i j in
    if e >= power then I.shift_left (I.of_int m) (e - power) else I.shift_right (I.of_int m) (power - e) in
  (power, List.init table.columns (fun j -> List.init table.rows (fun i -> entry i j)))

(* The least that all rows are off a multiple of the identity. *)
let farthest omega rows =
  let row i line = List.fold_left I.add I.zero
      (List.mapi (fun j g -> I.abs (if i = j then I.sub g omega else g)) line) in
  List.fold_left I.max I.zero (List.mapi row rows)

let pair value = match list value with
  | [ low; Json.Null ] -> (hexadecimal low, None)
  | [ low; high ] -> (hexadecimal low, Some (hexadecimal high))
  | _ -> malformed "no bounds"

let squared a =
  let double op x = op x x in
  { mantissa = double I.mul a.mantissa; exponent = double I.add a.exponent; divisor = double I.mul a.divisor }

let readout_prices subject fact =
  known [ "kind"; "layer"; "penalty"; "move"; "columns"; "directions"; "rows" ] fact;
  let k = List.length subject.hidden - 1 in
  let n = List.nth subject.widths k and count = subject.train.Arrays.rows in
  if whole (get "layer" fact) <> k + 1 then malformed "not the last hidden layer";
  if list (get "directions" fact) <> [] then raise (Left "features that depend on one another");
  if List.map whole (list (get "columns" fact)) <> List.init (n + 1) Fun.id then malformed "other columns";
  let penalty = hexadecimal (get "penalty" fact) in
  let move = match get "move" fact with Json.Null -> raise (Left "moves to another class") | value -> hexadecimal value in
  if I.sign penalty.mantissa < 0 || I.sign move.mantissa <= 0 then malformed "no penalty, or no move";
  subject.beyond (1e-7 *. float_of_int count *. float_of_int ((n + 1) * (n + 1)));
  (* Low enough for 1 and for the penalty to be whole. *)
  let own = prefix (k + 1) subject.es in
  let sum = List.fold_left (fun found e -> found + I.to_int e.power) (I.to_int subject.s.power) own in
  let lowest = min 0 (if I.sign penalty.mantissa = 0 then 0 else (I.to_int penalty.exponent - 1) / 2) in
  let down = max 0 (sum - lowest) in
  let s = { power = I.sub subject.s.power (I.of_int down); under = penalty.divisor } in
  let c = nat (n + 1) in
  let (zs, unit), matrix = some "no scale"
      (normal s subject.es subject.d subject.m subject.hidden subject.out (nat count) (get_row subject subject.train)
         (nat k) c penalty) in
  let factor = try Some (subject.arrays "factor") with Json.Malformed _ -> None in
  let lies = match factor with
    | Some [ ("factor.npy", table) ] ->
      if table.rows <> n + 1 then malformed "the factor does not fit the columns";
      let power, t = columns_of table (down - sum) in
      let omega = I.shift_left (I.mul s.under s.under) (2 * (down - sum - power)) in
      let delta = farthest omega (products matrix t) in
      if not (check_near c matrix t omega delta) then malformed "no factor";
      fun f low high -> check_bounds c t omega delta f low high
    | Some _ -> malformed "no factor"
    | None ->
      let den, inverse = adjugate matrix in
      fun f low high ->
        let w = List.map (fun line -> List.fold_left2 (fun sum a b -> I.add sum (I.mul a b)) I.zero line f) inverse in
        let at = check_lever_at c matrix w den f in
        at low && (match high with Some high -> at high | None -> false) in
  let table = function
    | "training" -> subject.train
    | "deployment" -> some "no deployment inputs" subject.deploy
    | "test" -> subject.table "test"
    | _ -> malformed "rows of no known part" in
  let priced part entry =
    known [ "row"; "leverage"; "price" ] entry;
    let array = table part and low, high = pair (get "leverage" entry) in
    let least, most = pair (get "price" entry) in
    let f = some "no such row" (feature_row subject.d s (I.of_int array.Arrays.rows) (get_row subject array) zs (nat k)
                                  unit c (I.of_int (whole (get "row" entry)))) in
    lies f low high && check_dear (nat count) low high least most (squared move) in
  let all (part, entries) =
    let rows = List.map (fun entry -> whole (get "row" entry)) (list entries) in
    no_twice rows && List.for_all (priced part) (list entries) in
  match get "rows" fact with
  | Json.Record parts -> List.for_all all parts
  | _ -> malformed "no rows"

let answers subject facts _ =
  List.map (fun fact ->
      if text (get "kind" fact) = "readout-prices" then answer (fun () -> readout_prices subject fact) else "left") facts
