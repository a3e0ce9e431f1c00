//! The SQL that Scorebook reads: sqlparser's generic dialect, with one fault mended.
//!
//! sqlparser takes everything that follows `IS [NOT] DISTINCT FROM` for its right side: it reads `a IS DISTINCT FROM b AND c` as
//! `a IS DISTINCT FROM (b AND c)`, which is another number without a word (apache/datafusion-sqlparser-rs#2436). Here the right side
//! ends where that of `IS` ends, as the SQL standard and every other database have it. All SQL goes through [`DIALECT`]:
//! definitions, questions, formulas, and Scorebook's own.

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use std::any::TypeId;

/// The one dialect of all SQL here.
pub(super) static DIALECT: Mended = Mended(GenericDialect);

/// The generic dialect, mended.
#[derive(Debug)]
pub(super) struct Mended(GenericDialect);

/// Answers as the generic dialect does. A question that is not listed is answered by the trait's default, so the list
/// holds all that sqlparser's `generic.rs` answers otherwise; a test reads the version for which that was looked at.
macro_rules! as_generic {
    ($($question:ident)*) => {
        $(fn $question(&self) -> bool {
            self.0.$question()
        })*
    };
}

impl Dialect for Mended {
    /// The parser asks for the type where a dialect has no question of its own.
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        self.0.is_delimited_identifier_start(letter)
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        self.0.is_identifier_start(letter)
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        self.0.is_identifier_part(letter)
    }

    /// The mend: the right side of `IS [NOT] DISTINCT FROM` ends before what binds no tighter than `IS`.
    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, _precedence: u8) -> Option<Result<Expr, ParserError>> {
        use Keyword::{DISTINCT, FROM, IS, NOT};
        let whole = match parser.parse_keywords(&[IS, DISTINCT, FROM]) {
            true => Expr::IsDistinctFrom,
            false if parser.parse_keywords(&[IS, NOT, DISTINCT, FROM]) => Expr::IsNotDistinctFrom,
            false => return None,
        };
        let right = parser.parse_subexpr(self.prec_value(Precedence::Is));
        Some(right.map(|right| whole(Box::new(left.clone()), Box::new(right))))
    }

    as_generic! {
        supports_unicode_string_literal supports_partition_by_after_order_by supports_array_join_syntax supports_group_by_expr
        supports_group_by_with_modifier supports_left_associative_joins_without_parens supports_connect_by
        supports_match_recognize supports_pipe_operator supports_start_transaction_modifier
        supports_window_function_null_treatment_arg supports_dictionary_syntax supports_window_clause_named_window_reference
        supports_parenthesized_set_variables supports_select_wildcard_except support_map_literal_syntax allow_extract_custom
        allow_extract_single_quotes supports_extract_comma_syntax supports_create_view_comment_syntax
        supports_parens_around_table_factor supports_values_as_table_factor supports_create_index_with_clause
        supports_explain_with_utility_options supports_limit_comma supports_update_order_by supports_from_first_select
        supports_projection_trailing_commas supports_asc_desc_in_column_definition supports_try_convert
        supports_bitwise_shift_operators supports_comment_on supports_load_extension
        supports_named_fn_args_with_assignment_operator supports_struct_literal supports_empty_projections
        supports_nested_comments supports_multiline_comment_hints supports_user_host_grantee supports_string_escape_constant
        supports_array_typedef_with_brackets supports_match_against supports_set_names
        supports_comma_separated_set_assignments supports_filter_during_aggregation supports_select_wildcard_exclude
        supports_data_type_signed_suffix supports_interval_options supports_quote_delimited_string
        supports_select_wildcard_replace supports_select_wildcard_ilike supports_select_wildcard_rename supports_optimize_table
        supports_install supports_detach supports_prewhere supports_with_fill supports_limit_by supports_interpolate
        supports_settings supports_select_format supports_comment_optimizer_hint supports_constraint_keyword_without_name
        supports_key_column_option supports_comma_separated_trim supports_cte_without_as
        supports_select_item_multi_column_alias supports_xml_expressions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Limits, Parameters, Session, Sql};
    use crate::store::Store;
    use arrow::util::display::array_value_to_string;
    use datafusion::sql::sqlparser::ast;
    use std::ops::ControlFlow;

    /// Parses an expression, and takes the parentheses out: what is left is the order in which it is computed.
    fn read(dialect: &dyn Dialect, text: &str) -> Expr {
        let mut expression = Parser::new(dialect).try_with_sql(text).unwrap().parse_expr().unwrap();
        let _: ControlFlow<()> = ast::visit_expressions_mut(&mut expression, |expression: &mut Expr| {
            while let Expr::Nested(inner) = expression {
                *expression = inner.as_ref().clone();
            }
            ControlFlow::Continue(())
        });
        expression
    }

    const FORMS: [&str; 2] = ["IS DISTINCT FROM", "IS NOT DISTINCT FROM"];

    #[test]
    fn what_binds_no_tighter_than_is_ends_the_right_side() {
        let tails = [
            "AND c",
            "OR c",
            "AND NOT c",
            "AND c OR d",
            "OR c AND d",
            "AND c IS NULL",
            "AND c = d",
            "AND c IS DISTINCT FROM d",
            "OR c IS NOT DISTINCT FROM d AND e",
            "AND c BETWEEN 1 AND 2",
            "AND c NOT IN (1, 2)",
            "AND c LIKE 'x%'",
            "IS TRUE",
            "IS NOT TRUE",
            "IS UNKNOWN AND c",
            "AND (c OR d)",
            "AND CASE WHEN c THEN d ELSE e END",
            "AND EXISTS (SELECT 1)",
        ];
        let heads = ["", "NOT ", "p AND ", "p OR ", "p AND NOT ", "p = q AND ", "x BETWEEN 1 AND 2 AND "];
        for form in FORMS {
            for tail in tails {
                for head in heads {
                    let given = format!("{head}a {form} b {tail}");
                    let meant = format!("{head}(a {form} b) {tail}");
                    assert_eq!(read(&DIALECT, &given), read(&DIALECT, &meant), "{given}");
                }
                // The fault that is mended: where this passes, sqlparser is mended and this file may go.
                let (given, meant) = (format!("a {form} b {tail}"), format!("(a {form} b) {tail}"));
                assert_ne!(read(&GenericDialect, &given), read(&GenericDialect, &meant), "{given}");
            }
        }
    }

    #[test]
    fn what_binds_tighter_than_is_belongs_to_the_right_side() {
        let tails = ["+ c", "- c * d", "|| 'x'", "|| c || d", "::text", "* (c + d)", "% 2", "AT TIME ZONE 'UTC'"];
        for form in FORMS {
            for tail in tails {
                for rest in ["", " AND d", " OR d AND e", " IS NOT TRUE"] {
                    let (given, meant) = (format!("a {form} b {tail}{rest}"), format!("(a {form} (b {tail})){rest}"));
                    assert_eq!(read(&DIALECT, &given), read(&DIALECT, &meant), "{given}");
                }
            }
            for whole in [
                "CASE WHEN a {} b AND c THEN 1 END",
                "f(a {} b AND c, d)",
                "(SELECT a {} b AND c)",
                "x IN (a {} b OR c)",
            ] {
                let (given, meant) = (whole.replace("{}", form), whole.replace("a {} b", &format!("(a {form} b)")));
                assert_eq!(read(&DIALECT, &given), read(&DIALECT, &meant), "{given}");
            }
            for operand in ["NOT b", "-b", "(b AND c)", "CASE WHEN b THEN c END", "NULL", "'x'"] {
                let (given, meant) = (format!("a {form} {operand} AND d"), format!("(a {form} ({operand})) AND d"));
                assert_eq!(read(&DIALECT, &given), read(&DIALECT, &meant), "{given}");
            }
        }
    }

    /// What the engine answers, of a user's SQL and of Scorebook's own.
    fn answers(select: &str) -> [String; 2] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let session = Session::new(Limits { threads: 1, memory_bytes: 1 << 26 }, &store).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let text = format!("SELECT CAST({select} AS VARCHAR) AS answer");
        let asked = runtime.block_on(session.query(&Sql::bare("the query", &text), &Parameters::new())).unwrap().1;
        let own = runtime.block_on(session.query_own(&text)).unwrap();
        [asked, own].map(|batches| array_value_to_string(batches[0].column(0), 0).unwrap())
    }

    #[test]
    fn the_engine_answers_as_with_parentheses() {
        assert_eq!(answers("TRUE IS DISTINCT FROM TRUE AND FALSE"), ["false", "false"]);
        let values = ["TRUE", "FALSE", "CAST(NULL AS BOOLEAN)"];
        let mut parts = Vec::new();
        for form in FORMS {
            for i in 0..27 {
                let [a, b, c] = [i / 9, i / 3 % 3, i % 3].map(|value| values[value]);
                for tail in [format!("AND {c}"), format!("OR {c}"), format!("AND NOT {c}"), "IS NOT TRUE".to_owned()] {
                    parts.push(format!("(({a} {form} {b} {tail}) IS NOT DISTINCT FROM (({a} {form} {b}) {tail}))"));
                    parts.push(format!(
                        "((NOT {a} {form} {b} {tail}) IS NOT DISTINCT FROM ((NOT ({a} {form} {b})) {tail}))"
                    ));
                }
            }
        }
        for part in parts.chunks(10) {
            let told = part.iter().map(|part| format!("CASE WHEN {part} THEN 'y' ELSE 'n' END")).collect::<Vec<_>>();
            assert_eq!(
                answers(&format!("CONCAT({})", told.join(", "))),
                ["y".repeat(part.len()), "y".repeat(part.len())]
            );
        }
    }

    #[test]
    fn everything_else_is_read_as_before() {
        let texts = [
            "a = b AND c < d OR NOT e",
            "a BETWEEN 1 AND 2 + 3 AND b",
            "a || b LIKE '%x' ESCAPE '!'",
            "CAST(a AS DATE) + INTERVAL '1' MONTH",
            "EXTRACT(YEAR FROM a)",
            "COUNT(*) FILTER (WHERE a > 1)",
            "SUM(a) OVER (PARTITION BY b ORDER BY c ROWS 2 PRECEDING)",
            "a['x']",
            "[1, 2][1]",
            "{'a': 1}",
            "TRIM(BOTH 'x' FROM a)",
            "a IN (SELECT 1)",
            "a IS NOT NULL",
            "-a::int",
            "`q` + \"Q\"",
        ];
        for text in texts {
            assert_eq!(read(&DIALECT, text), read(&GenericDialect, text), "{text}");
        }
    }

    #[test]
    fn the_list_of_answers_is_that_of_the_version_in_use() {
        let lock = include_str!("../../Cargo.lock");
        assert!(
            lock.contains("name = \"sqlparser\"\nversion = \"0.62.0\""),
            "look whether sqlparser has mended IS DISTINCT FROM, else hold the list against its generic.rs"
        );
    }
}
