/// What is the same for many pseudowires, asked once for one look at all.
final class InspectionCache {
    let survey: SurveyCache
    private var missing: [Attachment.Role: [UInt32: String?]] = [:]

    init(_ survey: SurveyCache) {
        self.survey = survey
    }

    /// What is wrong with an interface's filter.
    func missingFilter(
        _ role: Attachment.Role, _ interface: UInt32, _ find: () throws(PseudowireError) -> String?
    ) throws(PseudowireError) -> String? {
        if let known = missing[role]?[interface] { return known }
        let found = try find()
        missing[role, default: [:]][interface] = .some(found)
        return found
    }
}
