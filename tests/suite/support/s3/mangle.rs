//! The faults that spoil a page of a listing, as changes of its XML. A page that is too short to be spoilt stays whole.

use super::fault::{Seen, What};

/// The page as the fault leaves it; `None` for a fault that is not one of the body.
pub(super) fn spoilt(what: &What, page: &str, seen: &Seen) -> Option<String> {
    let whole = || page.to_owned();
    Some(match what {
        What::EmptyBody => String::new(),
        What::HalfBody => String::from_utf8_lossy(&page.as_bytes()[..page.len() / 2]).into_owned(),
        What::CutAfterElement => cut_after_element(page).unwrap_or_else(whole),
        What::CutInElement => cut_in_element(page).unwrap_or_else(whole),
        What::OutOfOrder => out_of_order(page).unwrap_or_else(whole),
        What::RepeatedToken => match seen.parameter("continuation-token") {
            Some(token) => with_next(page, &format!("<NextContinuationToken>{token}</NextContinuationToken>")),
            None => whole(),
        },
        What::NextToken(token) => with_next(page, &format!("<NextContinuationToken>{token}</NextContinuationToken>")),
        What::EmptyPage => {
            let token = seen.parameter("continuation-token").unwrap_or_else(|| "token:".to_owned());
            with_next(&without_objects(page), &format!("<NextContinuationToken>{token}x</NextContinuationToken>"))
        }
        What::TruncatedWithoutToken => with_next(page, ""),
        What::EndsAfter(objects) => ends_after(page, *objects),
        What::StrayFirst(key) => insert(page, page.find("<Contents>"), key),
        What::StrayLast(key) => insert(page, page.rfind("</Contents>").map(|at| at + "</Contents>".len()), key),
        What::Status(..)
        | What::Reset
        | What::ResetAfterwards
        | What::ResetInBody
        | What::Delay(_)
        | What::DelayAfterwards(_)
        | What::HoldBefore(_)
        | What::HoldAfterwards(_)
        | What::ErrorsInside
        | What::NoKeyNamed
        | What::EmptyBodyInstead => return None,
    })
}

/// Ends the document after the middle one of its objects, or after the only one.
fn cut_after_element(page: &str) -> Option<String> {
    let ends: Vec<usize> = page.match_indices("</Contents>").map(|(at, end)| at + end.len()).collect();
    ends.get(ends.len() / 2).map(|end| page[..*end].to_owned())
}

/// Ends the document three bytes into the text of the middle one of its keys.
fn cut_in_element(page: &str) -> Option<String> {
    let keys: Vec<usize> = page.match_indices("<Key>").map(|(at, start)| at + start.len()).collect();
    keys.get(keys.len() / 2).map(|at| page[..page.len().min(at + 3)].to_owned())
}

fn out_of_order(page: &str) -> Option<String> {
    let start = page.find("<Contents>")?;
    let second = start + page[start..].find("</Contents>")? + "</Contents>".len();
    let end = second + page[second..].find("</Contents>")? + "</Contents>".len();
    Some([&page[..start], &page[second..end], &page[start..second], &page[end..]].concat())
}

fn without_objects(page: &str) -> String {
    let from = page.find("<Contents>").unwrap_or(page.len());
    let to = page.rfind("</Contents>").map_or(from, |at| at + "</Contents>".len());
    let emptied = [&page[..from], &page[to..]].concat();
    match (emptied.find("<KeyCount>"), emptied.find("</KeyCount>")) {
        (Some(start), Some(end)) => [&emptied[..start], "<KeyCount>0", &emptied[end..]].concat(),
        _ => emptied,
    }
}

/// The page with its first objects, as the last one.
fn ends_after(page: &str, objects: usize) -> String {
    const END: &str = "</Contents>";
    let ends: Vec<usize> = page.match_indices(END).map(|(at, _)| at + END.len()).collect();
    let (Some(from), Some(to)) = (ends.get(objects - 1), ends.last()) else { return page.to_owned() };
    let cut = [&page[..*from], &page[*to..]].concat();
    let counted =
        cut.replace(&format!("<KeyCount>{}</KeyCount>", ends.len()), &format!("<KeyCount>{objects}</KeyCount>"));
    let without = match (counted.find("<NextContinuationToken>"), counted.find("</NextContinuationToken>")) {
        (Some(start), Some(end)) => [&counted[..start], &counted[end + "</NextContinuationToken>".len()..]].concat(),
        _ => counted,
    };
    without.replace("<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated>")
}

/// The page as a truncated one, with `token` in the place of its own.
fn with_next(page: &str, token: &str) -> String {
    let without = match (page.find("<NextContinuationToken>"), page.find("</NextContinuationToken>")) {
        (Some(start), Some(end)) => [&page[..start], &page[end + "</NextContinuationToken>".len()..]].concat(),
        _ => page.to_owned(),
    };
    let truncated = format!("<IsTruncated>true</IsTruncated>{token}");
    without
        .replace("<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated>")
        .replace("<IsTruncated>false</IsTruncated>", &truncated)
}

fn insert(page: &str, at: Option<usize>, key: &str) -> String {
    let at = at.unwrap_or_else(|| page.find("</ListBucketResult>").expect("a page of a listing"));
    let object = format!(
        "<Contents><Key>{key}</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified>\
         <ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
    );
    [&page[..at], &object, &page[at..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    const PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t2</NextContinuationToken>\
        <Contents><Key>a.png</Key></Contents><Contents><Key>b.png</Key></Contents></ListBucketResult>";

    fn spoil(what: &What) -> String {
        let request = Request::get("http://h/bucket?list-type=2&continuation-token=t1").body(()).expect("a request");
        spoilt(what, PAGE, &Seen::of(&request)).expect("a fault of the body")
    }

    #[test]
    fn each_fault_of_the_body_changes_what_it_says() {
        assert!(spoil(&What::CutAfterElement).ends_with("<Contents><Key>b.png</Key></Contents>"));
        assert!(spoil(&What::CutInElement).ends_with("<Key>b.p"));
        assert!(spoil(&What::OutOfOrder).ends_with(
            "<Contents><Key>b.png</Key></Contents><Contents><Key>a.png</Key></Contents></ListBucketResult>"
        ));
        let repeated = "<IsTruncated>true</IsTruncated><NextContinuationToken>t1</NextContinuationToken><Contents>";
        assert!(spoil(&What::RepeatedToken).contains(repeated));
        assert!(spoil(&What::TruncatedWithoutToken).contains("<IsTruncated>true</IsTruncated><Contents>"));
        assert!(
            spoil(&What::EndsAfter(1))
                .ends_with("<IsTruncated>false</IsTruncated><Contents><Key>a.png</Key></Contents></ListBucketResult>")
        );
        assert!(spoil(&What::StrayFirst("!")).contains("</NextContinuationToken><Contents><Key>!</Key>"));
        assert!(spoil(&What::StrayLast("~")).ends_with("</StorageClass></Contents></ListBucketResult>"));
    }
}
